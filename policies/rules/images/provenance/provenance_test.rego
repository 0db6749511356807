package countersign.rules.images.provenance_test

import data.countersign.rules.images.provenance as rule
import rego.v1

_digest := "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

_other := "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

_pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "web"}]}}

_image := {"ref": "registry.shop.example/shop/web@sha256:a", "registry": "registry.shop.example", "repository": "shop/web", "digest": _digest, "container": "web", "path": "/spec/containers/0/image"}

_build := {
	"images": ["registry.shop.example/shop/web"],
	"signers": [{"name": "pipeline"}],
	"builders": ["https://builder.example/runner"],
	"sources": ["https://git.example/shop/web"],
	"refs": ["refs/heads/main", "refs/tags/v*"],
}

_claim := {
	"subject": _digest,
	"predicateType": "https://slsa.dev/provenance/v1",
	"predicate": {},
	"signer": {"kind": "key", "name": "pipeline", "keyId": "k"},
	"known": true,
	"normalized": {"kind": "provenance", "builder": "https://builder.example/runner", "buildType": "t", "materials": [], "source": {"uri": "https://git.example/shop/web", "ref": "refs/heads/main"}},
}

_denied(images, found, parameters) := {result.msg |
	some result in rule.deny with input.object as _pod with input.images as images with input.claims as found with input.parameters as parameters
}

_no_provenance := {sprintf("image %q has no verified provenance of the build that is named for it", [_image.ref])}

_no_build := {sprintf("image %q: no build is named for it", [_image.ref])}

test_built if {
	_denied([_image], [_claim], {"builds": [_build]}) == set()
	_denied([_image], [_claim, object.union(_claim, {"subject": _other})], {"builds": [_build]}) == set()
	_denied([_image], [object.union(_claim, {"normalized": {"source": {"ref": "refs/tags/v1.2"}}})], {"builds": [_build]}) == set()
}

# One case for each thing in which a claim can differ from what is wanted.
test_not_built if {
	every patch in [
		{"subject": _other},
		{"known": false},
		{"signer": {"name": "somebody"}},
		{"normalized": {"kind": "sbom"}},
		{"normalized": {"builder": "https://builder.example/runner-of-mine"}},
		{"normalized": {"source": {"uri": "https://git.example/shop/web-fork"}}},
		{"normalized": {"source": {"ref": "refs/heads/mine"}}},
	] {
		_denied([_image], [object.union(_claim, patch)], {"builds": [_build]}) == _no_provenance
	}
	_denied([_image], [], {"builds": [_build]}) == _no_provenance
}

test_parts_of_several_are_not_one if {
	builder := object.union(_claim, {"normalized": {"source": {"uri": "https://git.example/other"}}})
	source := object.union(_claim, {"normalized": {"builder": "https://other.example"}})
	_denied([_image], [builder, source], {"builds": [_build]}) == _no_provenance
}

test_without_claims_nothing_is_proved if {
	found := {result.msg |
		some result in rule.deny with input.object as _pod with input.images as [_image] with input.parameters as {"builds": [_build]}
	}
	found == _no_provenance
}

test_a_tag_proves_nothing if {
	image := object.union(object.remove(_image, ["digest"]), {"tag": "1"})
	_denied([image], [_claim], {"builds": [_build]}) == {sprintf("image %q has no digest, so nothing can be proved of it", [_image.ref])}
}

test_every_image_needs_a_build if {
	every place in ["registry.shop.example/shop/we", "registry.shop.example/other", "registry.shop.example.evil.io/shop/web", "registry.shop.example:5000/shop/web"] {
		_denied([_image], [_claim], {"builds": [object.union(_build, {"images": [place]})]}) == _no_build
	}
	_denied([_image], [_claim], {}) == _no_build
	malformed := object.union(_image, {"registry": "", "repository": ""})
	_denied([malformed], [_claim], {"builds": [_build], "exempt": [""]}) == _no_build
}

test_a_wide_place_is_none_for_what_has_its_own if {
	wide := object.union(_build, {"images": ["registry.shop.example/shop"], "signers": [{"name": "somebody"}]})
	forged := object.union(_claim, {"signer": {"name": "somebody"}})
	_denied([_image], [_claim], {"builds": [wide, _build]}) == set()
	_denied([_image], [forged], {"builds": [wide, _build]}) == _no_provenance
	_denied([object.union(_image, {"repository": "shop/api"})], [forged], {"builds": [wide, _build]}) == set()
}

test_exempt if {
	_denied([_image], [], {"builds": [_build], "exempt": ["registry.shop.example"]}) == set()
	_denied([_image], [], {"builds": [_build], "exempt": ["registry.shop.example/shop/web"]}) == set()
	_denied([_image], [], {"builds": [_build], "exempt": ["registry.shop", "registry.shop.example/shop/web/x"]}) == _no_provenance
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as {"kind": "Pod", "spec": {"containers": "x"}} with input.images as [] with input.parameters as {"builds": [_build]}
}
