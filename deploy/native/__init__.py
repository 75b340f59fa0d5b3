"""The service and its servers as native processes of one machine: `digits up`, `down` and `status`.

The commands are here, with what all rooms share. The rooms: `stacks` says which servers there are, `servers`
what each one needs, `service` which processes the service itself has; `supervision` keeps processes alive,
and `downloads` fetches jars and MNIST. It may import `digits`. It must not know how the service trains or
classifies: its processes are commands and settings.
"""
