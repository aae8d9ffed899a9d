"""All kinds of streams, and the one that a URL asks for."""

from __future__ import annotations

from synthmob.errors import InputError
from synthmob.replay.httppost import HTTP
from synthmob.replay.mqtt import MQTT
from synthmob.replay.redisstream import REDIS
from synthmob.replay.sink import Kind, Options, Target
from synthmob.replay.stdout import STDOUT

KINDS = (HTTP, MQTT, REDIS, STDOUT)


def kind_of(target: Target, options: Options) -> Kind:
    """The kind of a URL's scheme; InputError where there is none, or where it takes an option no heed is paid to."""
    found = [kind for kind in KINDS if target.scheme in kind.schemes]
    if not found or (target.host == "") != (found[0] is STDOUT):
        raise InputError(f"Events cannot be sent to {target.shown!r}: give stdout, redis://, mqtt:// or http:// and a host.")
    for name, value in vars(options).items():
        if value is not None and name not in found[0].takes:
            raise InputError(f"{target.shown} takes no --{name.replace('_', '-')}: leave it out, it is for redis.")
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} is {value}: give a whole number from 1 on.")
    return found[0]
