package countersign.rules.shop.built_here_test

import data.countersign.rules.shop.built_here as rule
import rego.v1

_digest := "sha256:5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e"

_image := {"ref": sprintf("registry.shop.example/web@%s", [_digest]), "digest": _digest, "path": "/spec/containers/0/image"}

_parameters := {
	"signers": [{"issuer": "https://token.actions.githubusercontent.com", "identityGlob": "https://github.com/shop/web/.github/workflows/release.yml@refs/tags/v*"}],
	"builders": ["https://github.com/actions/runner/github-hosted"],
	"sources": ["https://github.com/shop/web"],
	"refs": ["refs/heads/main", "refs/tags/v*"],
}

_claim(ref) := {
	"subject": _digest,
	"predicateType": "https://slsa.dev/provenance/v1",
	"predicate": {},
	"known": true,
	"signer": {"kind": "keyless", "issuer": "https://token.actions.githubusercontent.com", "identity": "https://github.com/shop/web/.github/workflows/release.yml@refs/tags/v1.4.2"},
	"normalized": {
		"kind": "provenance",
		"builder": "https://github.com/actions/runner/github-hosted",
		"buildType": "https://actions.github.io/buildtypes/workflow/v1",
		"source": {"uri": "https://github.com/shop/web", "ref": ref, "commit": "4b220de5058abfd01ff619c9d2ff6b09a049bea0"},
		"materials": [],
	},
}

test_a_release_is_allowed if {
	count(rule.deny) == 0 with input as {"images": [_image], "claims": [_claim("refs/tags/v1.4.2")], "parameters": _parameters}
}

test_a_branch_of_somebody_is_denied if {
	found := {"msg": sprintf("image %q was not built by the release workflow", [_image.ref]), "path": "/spec/containers/0/image"}
	rule.deny == {found} with input as {"images": [_image], "claims": [_claim("refs/heads/try")], "parameters": _parameters}
	rule.deny == {found} with input as {"images": [_image], "parameters": _parameters}
}

test_an_image_without_a_digest_is_denied if {
	count(rule.deny) == 1 with input as {"images": [object.remove(_image, ["digest"])], "claims": [_claim("refs/tags/v1.4.2")], "parameters": _parameters}
}
