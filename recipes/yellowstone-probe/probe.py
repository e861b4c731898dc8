"""Asks a Yellowstone at ADDRESS for its version, then waits until COUNT slots have come, each above
the one before. Ends with 0 if they do, with 1 if they have not after SECONDS.

probe.py ADDRESS COUNT SECONDS
"""

import json
import sys
import time

import grpc

import geyser_pb2 as geyser


def version(channel, deadline):
    """The version that the plugin tells, once it answers."""
    ask = channel.unary_unary(
        "/geyser.Geyser/GetVersion",
        request_serializer=geyser.GetVersionRequest.SerializeToString,
        response_deserializer=geyser.GetVersionResponse.FromString,
    )
    while True:
        try:
            return json.loads(ask(geyser.GetVersionRequest(), timeout=5).version)
        except grpc.RpcError as error:
            if time.monotonic() > deadline:
                raise
            print(f"not there yet: {error.code()}")
            time.sleep(1)


def slots(channel, seconds):
    """The slots of a stream, each the first time that it is seen."""
    subscribe = channel.stream_stream(
        "/geyser.Geyser/Subscribe",
        request_serializer=geyser.SubscribeRequest.SerializeToString,
        response_deserializer=geyser.SubscribeUpdate.FromString,
    )
    wanted = geyser.SubscribeRequest(slots={"all": geyser.SubscribeRequestFilterSlots()})
    seen = set()
    for update in subscribe(iter([wanted]), timeout=seconds):
        if update.HasField("slot") and update.slot.slot not in seen:
            seen.add(update.slot.slot)
            yield update.slot.slot


def main():
    address, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    deadline = time.monotonic() + seconds
    channel = grpc.insecure_channel(address)
    print("version:", json.dumps(version(channel, deadline)))
    highest, risen = -1, 0
    for slot in slots(channel, deadline - time.monotonic()):
        print("slot:", slot, flush=True)
        risen += slot > highest
        highest = max(highest, slot)
        if risen == count:
            return
    sys.exit("the stream ended too early")


main()
