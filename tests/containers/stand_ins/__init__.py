"""Stand-ins for the systems' images of docker-compose.yml, where no registry of images is in reach."""
