# Stands for a kernel: prints the file `said` on the first serial port and starts the machine again, or hangs.
# QEMU copies it to 0x10000 and starts it at 0x200 in real mode, by its header (Documentation/arch/x86/boot.rst).
	.code16
image:
	.org 0x1f1
	.byte 15			# sectors up to `protected`, less one
	.org 0x1fe
	.word 0xaa55
	jmp start
	.ascii "HdrS"
	.word 0x0202			# version of the header
	.org 0x211
	.byte 1				# what follows the sectors is loaded high
	.org 0x240
start:	mov $0x1000, %ax
	mov %ax, %ds
	mov $(said - image), %si
next:	lodsb
	test %al, %al
	jz end
	mov %al, %ah
ready:	mov $0x3fd, %dx
	in %dx, %al
	test $0x20, %al
	jz ready
	mov %ah, %al
	mov $0x3f8, %dx
	out %al, %dx
	jmp next
end:	mov $0x3fd, %dx
	in %dx, %al
	test $0x40, %al
	jz end
	mov $0xfe, %al
#ifndef HANGS
	out %al, $0x64
#endif
	hlt
	jmp end
said:	.incbin "said"
	.byte 0
	.org 16 * 512
protected:
	.fill 512
