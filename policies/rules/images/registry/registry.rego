# METADATA
# scope: package
# title: "Images come from registries that are allowed"
# description: "Each image is from one of the registries, or repository paths, that the parameters list."
# custom:
#   severity: high
#   controls: []
#   remedy: "push the image to an allowed registry, or have the registry added to the parameters"
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [registries]
#     properties:
#       registries:
#         type: array
#         minItems: 1
#         items:
#           type: string
#           pattern: '^[a-zA-Z0-9.:\[\]-]+(/[a-z0-9._-]+)*$'
package countersign.rules.images.registry

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("image %q is from no allowed registry", [image.ref]), "path": image.path} if {
	some image in input.images
	not _is_allowed(image)
}

# Compared by the parsed parts: a prefix of the text would let registry.example.evil.io pass for registry.example.
_is_allowed(image) if {
	image.registry != ""
	some entry in input.parameters.registries
	_matches(image, split(entry, "/"))
}

_matches(image, [registry]) if image.registry == registry

_matches(image, parts) if {
	count(parts) > 1
	image.registry == parts[0]
	wanted := array.slice(parts, 1, count(parts))
	array.slice(split(image.repository, "/"), 0, count(wanted)) == wanted
}
