"""How the service is run: natively on one machine, in containers, on Kubernetes, and behind NGINX.

It may import `digits`. It must not know how the service does what it does: it runs processes, gives them
settings and asks them by the contract. Nothing of the service imports it, except the command line.
"""
