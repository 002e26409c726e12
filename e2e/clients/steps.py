"""What the programs share: their input is JSON on stdin, their output one JSON
line for each step."""
import json
import sys

given = json.load(sys.stdin)


def step(name, act, describe):
    """Prints what act returns, or what describe says about what it raises."""
    try:
        result = act() or {}
    except Exception as err:
        result = {"error": describe(err)}
    print(json.dumps({"step": name, **result}, separators=(",", ":")), flush=True)
    return result


def verified(response):
    return {"status": response.status_code, "scope": response.headers.get("X-Latchkey-Scope", "")}
