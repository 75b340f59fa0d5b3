"""The REST bridge: HTTP in, gRPC out, nothing kept.

Views parse, call and return. What they take and answer are pydantic models, by which requests are checked and
the OpenAPI page is written. It may import the generated code, `digits.client`, settings, errors and limits.
It must not know how the service does what it is asked: no jobs, no models, no adapters.
"""
