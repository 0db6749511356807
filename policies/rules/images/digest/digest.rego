# METADATA
# scope: package
# title: "Images are named by digest"
# description: "Each image reference has a digest: a tag can be moved after it was approved."
# custom:
#   severity: high
#   controls: []
#   remedy: "name the image as repository@sha256:…, which the build prints and docker buildx imagetools inspect shows"
package countersign.rules.images.digest

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("image %q has no digest", [image.ref]), "path": image.path} if {
	some image in input.images
	not _has_digest(image)
}

_lengths := {"sha256": 64, "sha512": 128}

_has_digest(image) if {
	is_string(image.digest)
	[algorithm, hex] := split(image.digest, ":")
	count(hex) == _lengths[algorithm]
	trim(hex, "0123456789abcdef") == ""
}
