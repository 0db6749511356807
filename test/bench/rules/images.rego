package main

import rego.v1

allowed_registries := ["registry.shop.example.com/", "ghcr.io/shop/", "registry.k8s.io/"]

deny contains msg if {
	some container in containers
	is_floating(container.image)
	msg := sprintf("%s %s: image %s has no fixed tag", [input.kind, name, container.image])
}

is_floating(image) if endswith(image, ":latest")

is_floating(image) if {
	parts := split(image, "/")
	not contains(parts[count(parts) - 1], ":")
}

deny contains msg if {
	some container in containers
	not from_allowed_registry(container.image)
	msg := sprintf("%s %s: image %s is from no allowed registry", [input.kind, name, container.image])
}

from_allowed_registry(image) if {
	some registry in allowed_registries
	startswith(image, registry)
}

warn contains msg if {
	some container in containers
	not is_floating(container.image)
	not regex.match(`:v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$`, container.image)
	msg := sprintf("%s %s: the tag of image %s is no version", [input.kind, name, container.image])
}
