"""Bodies of POST /digits/classify that are refused: name → (body, field at fault, what the answer says)."""

BAD_JSON: dict[str, tuple[bytes, str | None, str]] = {
    "not JSON": (b"image_path=a.png", None, "not JSON"),
    "no body": (b"", None, "no body"),
    "an array": (b'["a.png"]', None, "not an array"),
    "a number": (b"7", None, "not a number"),
    "null at the top": (b"null", None, "not null"),
    "missing field": (b"{}", "image_path", "missing"),
    "unknown field": (b'{"image_path": "a.png", "colour": 1}', "colour", "unknown"),
    "null": (b'{"image_path": null}', "image_path", "not null"),
    "wrong type": (b'{"image_path": 5}', "image_path", "must be a string"),
    "an object as value": (b'{"image_path": {}}', "image_path", "not an object"),
    "empty string": (b'{"image_path": ""}', "image_path", "is empty"),
    "half a surrogate pair": (b'{"image_path": "\\ud800"}', "image_path", "surrogate"),
    "half a surrogate pair as a name": (b'{"\\ud800": "a.png"}', "?", "surrogate"),
    "duplicate keys": (b'{"image_path": "a.png", "image_path": "b.png"}', "image_path", "twice"),
    "invalid UTF-8": (b'{"image_path": "\xff.png"}', None, "not UTF-8 at byte 16"),
    "NaN": (b'{"image_path": NaN}', None, "NaN is not"),
    "Infinity": (b'{"image_path": -Infinity}', None, "not JSON"),
    "nested too deep": (b"[" * 100_000, None, "not JSON"),
    "a number of 10,000 digits": (b'{"image_path": ' + b"9" * 10_000 + b"}", None, "not JSON"),
}
