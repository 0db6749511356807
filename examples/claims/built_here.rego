# METADATA
# scope: package
# title: "Images are built by the release workflow"
# description: "Each image has provenance of a named builder, from a named repository, on a protected ref."
# custom:
#   severity: critical
#   controls: []
#   remedy: "deploy what the release workflow has built"
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [signers, builders, sources, refs]
#     properties:
#       signers: {type: array, minItems: 1, items: {type: object}}
#       builders: {type: array, minItems: 1, items: {type: string}}
#       sources: {type: array, minItems: 1, items: {type: string}}
#       refs: {type: array, minItems: 1, items: {type: string}}
package countersign.rules.shop.built_here

import data.countersign.lib.claims
import rego.v1

deny contains {"msg": sprintf("image %q was not built by the release workflow", [image.ref]), "path": image.path} if {
	some image in input.images
	not claims.built(claims.digest(image), input.parameters)
}
