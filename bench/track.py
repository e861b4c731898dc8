"""What `race.py` races on: the same work, laid out for forge and for each peer, in one temporary folder.

Nothing of the host is written down but the address of its own Debian mirror, in a file of that folder.
"""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

# A compiler and all it stands on: forge resolves `toolroot-c` to this set, apt does it for the peers.
# apt counts itself among the essential packages, though its stanza does not say so.
COMPILER = ["?and(?essential, ?not(?exact-name(apt)))", "gcc", "libc6-dev", "make"]
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

BOX = """\
kind = "toolroot"
archive = "debian"
packages = ["coreutils", "dash"]
essential = false
ignore-alternatives = ["which"]
"""

UNIT = """\
default = true
toolroot = "box"
steps = ["echo {name} nonce-0 > /out/out"]
"""

SOURCES = """\

[sources]
src = {{ path = ["files/{name}/*"] }}
"""

CRATE = """\
kind = "cargo"
toolroot = "toolroot-rust"
bins = ["{name}"]
glibc = "2.41"
needed = {needed}
env = {{ RACE = "nonce-0" }}
sources.src = {{ crate = "{name}", version = "{version}" }}
"""

WHOLE = """\
kind = "toolroot"
extends = "toolroot-c"
trim = []
ignore-alternatives = [
  "awk.1.gz", "builtins.7.gz", "c89.1.gz", "c99.1.gz", "nawk.1.gz", "pager.1.gz", "rmt.8.gz", "which.1.gz",
  "which.de1.gz", "which.es1.gz", "which.fr1.gz", "which.it1.gz", "which.ja1.gz", "which.pl1.gz", "which.sl1.gz",
]
"""

PICTURE = """\
kind = "image"
archive = "debian"
user = "1:1"
entrypoint = ["/usr/bin/gcc"]
sources.own = { path = ["own"] }
deps = { tree = "whole" }
files = { "/usr" = "deps/tree/usr", "/opt/own" = "src/own/own" }
directories = { "/nonce-0" = {} }
waivers = { shell = "all that a compiler needs" }
"""

PACKED = """\
kind = "image"
archive = "debian"
packages = ["coreutils"]
user = "1:1"
entrypoint = ["/usr/bin/true"]
"""

# docker-registry, with nothing said but what goes wrong.
REGISTRY = """\
version: 0.1
log: {{ accesslog: {{ disabled: true }}, level: error }}
storage: {{ filesystem: {{ rootdirectory: {folder}/data }} }}
http: {{ addr: "{host}" }}
"""

# Seconds in which a server has to listen.
PATIENCE = 20

# What forge gives cargo, for cargo by hand.
CARGO_WORLD = {"CARGO_HOME": "/build/cargo", "CARGO_INCREMENTAL": "0", "RUSTFLAGS": "-Ctarget-cpu=x86-64-v3"}

DERIVATIONS = """\
{ count }:
let
  nonce = builtins.readFile ./nonce;
  unit = n: derivation {
    name = "u${toString n}";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo ${toString n} ${nonce} > $out" ];
  };
in builtins.genList unit count
"""

NIX_CONF = """\
build-users-group =
experimental-features = nix-command
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin/sh=/bin/busybox
substitute = false
store = {store}
"""

APT_CONF = """\
Acquire::GzipIndexes "false";
Acquire::Languages "none";
APT::Architecture "amd64";
Dir::Cache "{root}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::SourceList "{root}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{root}/state";
Dir::State::status "{root}/status";
"""


def write(path, text):
    """Writes a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def output(*command):
    """What a command prints; the words of one that fails stand in the exception."""
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def free():
    """An address of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()


def listens(address, process):
    """Waits until `process` listens at `address`; says whether it does."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(address).close()
            return True
        except ConnectionRefusedError:
            time.sleep(0.02)
    return False


def names(count):
    return [f"u{number:04}" for number in range(count)]


def files(folder, units, each):
    """`each` small files for every unit, no two alike: `folder`/files/<unit>/<number>."""
    for unit in units:
        for number in range(each):
            write(folder / "files" / unit / f"{number:02}.txt", f"{unit} {number}\n" * 20)


def chunks(items, size):
    return [items[start:start + size] for start in range(0, len(items), size)]


class Track(ExitStack):
    """The temporary folder. Each method lays out one thing, once, and returns where it is.

    As a context it ends what it started, however it is left.
    """

    def __init__(self, root, forge):
        super().__init__()
        self.root = root
        self.forge = forge
        self.store = root / "store"
        self.laid = {}

    def once(self, name, lay):
        """The folder `name`, filled by `lay(folder)` when first asked for."""
        if name not in self.laid:
            folder = self.root / name
            folder.mkdir()
            self.laid[name] = lay(folder) or folder
        return self.laid[name]

    # forge

    def base(self):
        """A project of toolroots only, locked: every other project shares its lockfile."""
        def lay(folder):
            recipes = folder / "recipes"
            shutil.copytree(REPOSITORY / "recipes" / "keys", recipes / "keys")
            for name in ["debian.toml", "toolroot-base.toml", "toolroot-c.toml"]:
                shutil.copy(REPOSITORY / "recipes" / name, recipes)
            write(recipes / "box.toml", BOX)
            output(self.forge, "-C", folder, "lock")
        return self.once("base", lay)

    def project(self, count, each):
        """A project of `count` units over `each` files a unit."""
        def lay(folder):
            shutil.copytree(self.base(), folder, dirs_exist_ok=True)
            for name in names(count):
                text = UNIT.format(name=name) + (SOURCES.format(name=name) if each else "")
                write(folder / "recipes" / f"{name}.toml", text)
            files(folder / "recipes", names(count), each)
        return self.once(f"forge-{count}x{each}", lay)

    def forest(self, count):
        """A project of `count` units, all but the first ten of which read one before them, and its graph for dot."""
        def lay(folder):
            shutil.copytree(self.base(), folder, dirs_exist_ok=True)
            for number, name in enumerate(names(count)):
                deps = f'\n[deps]\na = "{names(count)[number // 10]}"\n' if number >= 10 else ""
                write(folder / "recipes" / f"{name}.toml", UNIT.format(name=name) + deps)
            output(self.forge, "-C", folder, "graph", "-o", folder / "graph.dot")
        return self.once(f"forest-{count}", lay)

    def box(self):
        """The root file system in which the trivial units run."""
        project = self.base()
        output(self.forge, "-C", project, "build", "box")
        return (project / "result" / "box").resolve()

    # peers

    def ninja(self, count, each):
        """The same file graph as `project(count, each)` for ninja: an edge a unit."""
        def lay(folder):
            files(folder, names(count), each)
            edges = ["rule join\n  command = cat $in > $out\n"]
            for name in names(count):
                inputs = " ".join(f"files/{name}/{number:02}.txt" for number in range(each))
                edges.append(f"build out/{name}: join {inputs}\n")
            write(folder / "build.ninja", "".join(edges))
        return self.once(f"ninja-{count}x{each}", lay)

    def buildstream(self, count, each):
        """The same file graph for BuildStream: an element a unit."""
        def lay(folder):
            files(folder, names(count), each)
            write(folder / "project.conf", "name: race\nmin-version: 2.0\nelement-path: elements\n")
            for name in names(count):
                element = f"kind: import\nsources:\n- kind: local\n  path: files/{name}\nconfig:\n  target: /{name}\n"
                write(folder / "elements" / f"{name}.bst", element)
            depends = "".join(f"- {name}.bst\n" for name in names(count))
            write(folder / "elements" / "all.bst", f"kind: stack\ndepends:\n{depends}")
        return self.once(f"buildstream-{count}x{each}", lay)

    def nix(self):
        """An expression of trivial derivations, and a store and a configuration of their own."""
        def lay(folder):
            write(folder / "conf" / "nix.conf", NIX_CONF.format(store=folder / "store"))
            write(folder / "units.nix", DERIVATIONS)
            write(folder / "nonce", "nonce-0")
        return self.once("nix", lay)

    def garbage(self, count):
        """A forge store of `count` outputs, every tenth with a result link; and where it stands to be collected."""
        def lay(folder):
            program = self.forge.parent / "examples" / "fill_store"
            output("env", f"FORGE_STORE={folder / 'store'}", program, count, folder / "links")
            (folder / "store").rename(folder / "pristine")
        folder = self.once(f"garbage-{count}", lay)
        return folder / "pristine", folder / "store"

    def nix_garbage(self, count):
        """The same for Nix."""
        store = self.nix() / "store"
        def lay(folder):
            for number in range(count):
                write(folder / "outputs" / f"o{number}" / "text", f"output {number}\n")
            paths = sorted((folder / "outputs").iterdir())
            added = [path for some in chunks(paths, 500) for path in output("nix-store", "--add", *some).split()]
            for path in added[::10]:
                (store / "nix/var/nix/gcroots" / Path(path).name).symlink_to(path)
            shutil.copytree(store, folder / "pristine", symlinks=True)
        return self.once(f"nix-garbage-{count}", lay) / "pristine", store

    def restore(self, pristine, place):
        """A command that puts a folder back as it was."""
        script = f"chmod -R u+w {place} 2>/dev/null; rm -rf {place}; cp -a {pristine} {place}"
        return ["sh", "-c", script]

    def renew(self, pattern):
        """A command that puts a new nonce into the files that match, so that nothing in them is known."""
        script = f'sed -i "s/nonce-[0-9]*/nonce-$(date +%s%N)/" {pattern}'
        return ["sh", "-c", script]

    # Images

    def picture(self):
        """A project with the image `picture`, of all that a compiler's packages bring and of a file of 1 MB."""
        def lay(folder):
            shutil.copytree(self.base(), folder, dirs_exist_ok=True)
            write(folder / "recipes" / "whole.toml", WHOLE)
            write(folder / "recipes" / "picture.toml", PICTURE)
            (folder / "recipes" / "own").write_bytes(random.Random(2).randbytes(1_000_000))
            output(self.forge, "-C", folder, "lock")
            output(self.forge, "-C", folder, "build", "whole")
        return self.once("picture", lay)

    def packed(self):
        """A project with the image `packed`, built: of packages alone, as a look at files of the project is no push."""
        def lay(folder):
            shutil.copytree(self.base(), folder, dirs_exist_ok=True)
            write(folder / "recipes" / "packed.toml", PACKED)
            output(self.forge, "-C", folder, "lock")
            output(self.forge, "-C", folder, "build", "packed")
        return self.once("packed", lay)

    def registry(self):
        """A registry of this machine, empty at first; returns its host and port."""
        def lay(folder):
            address = free()
            host = "{}:{}".format(*address)
            config = write(folder / "config.yml", REGISTRY.format(folder=folder, host=host))
            with open(folder / "log", "w") as log:
                process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
            self.callback(process.wait)
            self.callback(process.kill)
            if not listens(address, process):
                raise SystemExit(f"docker-registry does not start: {(folder / 'log').read_text()}")
            return host
        return self.once("registry", lay)

    # Rust

    def crate(self, name, version, needed=()):
        """A project whose unit `name` is a published crate, with everything fetched and built that is not its own."""
        def lay(folder):
            recipes = folder / "recipes"
            shutil.copytree(REPOSITORY / "recipes" / "keys", recipes / "keys")
            for recipe in ["debian", "toolroot-base", "toolroot-c", "toolroot-rust"]:
                shutil.copy(REPOSITORY / "recipes" / f"{recipe}.toml", recipes)
            text = CRATE.format(name=name, version=version, needed=json.dumps(needed))
            write(recipes / f"{name}.toml", text)
            output(self.forge, "-C", folder, "lock")
            output(self.forge, "-C", folder, "build", "toolroot-rust", name)
        return self.once(f"crate-{name}", lay)

    def vendored(self, name, version):
        """The same crate unpacked, with its dependencies beside it as `cargo vendor` lays them."""
        def lay(folder):
            home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
            file = next(home.glob(f"registry/cache/*/{name}-{version}.crate"))
            output("tar", "-C", folder, "--strip-components=1", "-xf", file)
            config = output("cargo", "vendor", "--locked", "--manifest-path", folder / "Cargo.toml", folder / "vendor")
            write(folder / ".cargo" / "config.toml", config.replace(str(folder), "/src"))
        self.crate(name, version)
        return self.once(f"vendored-{name}", lay)

    # Debian

    def apt(self):
        """apt on an empty system, with the suite's index; returns its configuration file."""
        def lay(folder):
            for name in ["state/lists/partial", "cache/archives/partial"]:
                (folder / name).mkdir(parents=True)
            write(folder / "status", "")
            targets = output("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
            mirror = next(line.split()[1] for line in targets.splitlines() if line.startswith("Debian "))
            write(folder / "sources.list", f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
            conf = write(folder / "apt.conf", APT_CONF.format(root=folder))
            output("apt-get", "-qq", "-c", conf, "update")
            return conf
        return self.once("apt", lay)

    def index(self):
        """The suite's Packages file."""
        targets = ["indextargets", "--format", "$(FILENAME)", "Created-By: Packages"]
        return output("apt-get", "-c", self.apt(), *targets).strip()

    def debs(self):
        """A repository of exactly the .debs of `COMPILER`: Packages, pool/…; also a mirror for forge."""
        def lay(folder):
            install = ["install", "--download-only", "--no-install-recommends", *COMPILER]
            output("apt-get", "-qq", "-y", "-o", "Debug::NoLocking=1", "-c", self.apt(), *install)
            cache = self.root / "apt" / "cache" / "archives"
            found = [stanza for stanza in stanzas(Path(self.index())) if (cache / file_name(stanza)).exists()]
            for stanza in found:
                place = folder / stanza["Filename"]
                place.parent.mkdir(parents=True, exist_ok=True)
                (cache / file_name(stanza)).rename(place)
            write(folder / "Packages", "\n".join(stanza["text"] for stanza in found))
        return self.once("debs", lay)

    def packages(self):
        """The names of the packages in `debs`."""
        return [stanza["Package"] for stanza in stanzas(self.debs() / "Packages")]

    def agree(self):
        """Checks that forge locked the very .debs that apt chose, so that both unpack the same."""
        locked = set(re.findall(r"pool/[^\"]+\.deb", (self.base() / "lockfile.toml").read_text()))
        chosen = {stanza["Filename"] for stanza in stanzas(self.debs() / "Packages")}
        if locked != chosen:
            raise SystemExit(f"forge and apt chose different .debs:\n{sorted(locked ^ chosen)}")

    def mirrors(self):
        """A FORGE_MIRRORS file that names `debs`: what is fetched is on this disk already."""
        return write(self.root / "mirrors.toml", f'[archive]\ndebian = ["file://{self.debs()}"]\n')

    # plain files

    def tree(self, count=7400, size=345_000_000):
        """`count` files of `size` bytes together, most small and a few big, as in a system's /usr."""
        def lay(folder):
            dice = random.Random(1)
            weights = [dice.lognormvariate(0, 2) for _ in range(count)]
            for number, weight in enumerate(weights):
                path = folder / f"{number % 97:02}" / f"{number // 97 % 7}" / f"{number:04}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(dice.randbytes(round(weight / sum(weights) * size)))
        return self.once("tree", lay)


def stanzas(packages):
    """The stanzas of a Packages file: single-line fields by name, and the whole as "text"."""
    for text in packages.read_text().split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
        if fields:
            yield fields | {"text": text.rstrip() + "\n"}


def file_name(stanza):
    """What apt calls a downloaded .deb."""
    return f"{stanza['Package']}_{stanza['Version'].replace(':', '%3a')}_{stanza['Architecture']}.deb"
