# METADATA
# scope: package
# title: "Images were built where, and from what, they should be"
# description: "Each image has verified SLSA provenance, signed by a named signer, of a named builder, from a named source and ref."
# custom:
#   severity: critical
#   controls: []
#   remedy: "let the pipeline attest the provenance of this digest, or add its build to the parameters"
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [builds]
#     properties:
#       builds:
#         type: array
#         minItems: 1
#         items:
#           type: object
#           additionalProperties: false
#           required: [images, signers, builders, sources, refs]
#           properties:
#             images: {type: array, minItems: 1, items: {type: string, pattern: '^[a-z0-9.:-]+(/[a-z0-9._-]+)+$'}}
#             signers: {type: array, minItems: 1, items: {type: object, minProperties: 1}}
#             builders: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#             sources: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#             refs: {type: array, minItems: 1, items: {type: string, pattern: '^refs/(heads|tags)/'}}
#       exempt:
#         type: array
#         items: {type: string, pattern: '^[a-z0-9.:-]+(/[a-z0-9._-]+)*$'}
package countersign.rules.images.provenance

import data.countersign.lib.claims
import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("image %q: no build is named for it", [image.ref]), "path": image.path} if {
	some image in input.images
	not _is_exempt(image)
	count(_builds(image)) == 0
}

deny contains {"msg": sprintf("image %q has no digest, so nothing can be proved of it", [image.ref]), "path": image.path} if {
	some image in input.images
	not _is_exempt(image)
	count(_builds(image)) > 0
	not image.digest
}

deny contains {"msg": sprintf("image %q has no verified provenance of the build that is named for it", [image.ref]), "path": image.path} if {
	some image in input.images
	not _is_exempt(image)
	image.digest
	builds := _builds(image)
	count(builds) > 0
	not _is_built(image, builds)
}

# By any one of its builds, wholly: the signer of one, the builder of another and the source of a third prove nothing together.
_is_built(image, builds) if {
	some build in builds
	claims.built(image.digest, build)
}

# The builds that are named for an image. The most exact place decides: a build for everything in a registry is none for what has its own.
_builds(image) := {build |
	some build in input.parameters.builds
	some place in build.images
	_covers(place, image)
	count(split(place, "/")) == _depth(image)
}

_depth(image) := max({count(split(place, "/")) |
	some build in input.parameters.builds
	some place in build.images
	_covers(place, image)
})

_is_exempt(image) if {
	some place in object.get(input.parameters, "exempt", [])
	_covers(place, image)
}

# Compared by the parsed parts, as in images.registry.
_covers(place, image) if {
	image.registry != ""
	parts := split(place, "/")
	lower(image.registry) == parts[0]
	wanted := array.slice(parts, 1, count(parts))
	array.slice(split(image.repository, "/"), 0, count(wanted)) == wanted
}
