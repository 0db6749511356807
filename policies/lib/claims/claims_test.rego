package countersign.lib.claims_test

import data.countersign.lib.claims
import rego.v1

_image := "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

_other := "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

_issuer := "https://token.actions.githubusercontent.com"

_identity := "https://github.com/shop/web/.github/workflows/release.yml@refs/tags/v1.4.2"

_keyless := {"kind": "keyless", "issuer": _issuer, "identity": _identity}

_signers := [{"issuer": _issuer, "identity": _identity}]

_builder := "https://github.com/actions/runner/github-hosted"

_source := "https://github.com/shop/web"

_claim(normalized) := {"subject": _image, "predicateType": "x", "predicate": {}, "signer": _keyless, "known": true, "normalized": normalized}

_provenance := {"kind": "provenance", "builder": _builder, "source": {"uri": _source, "ref": "refs/heads/main", "commit": "c"}}

_now := {"time": "2026-11-24T12:00:00Z"}

test_signed_hears_only_the_named if {
	found := _claim(_provenance)
	every signers in [
		_signers,
		[{"issuer": "https://other.example", "identity": "x"}, _signers[0]],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop/web/.github/workflows/release.yml@refs/tags/v*"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop/*/.github/workflows/release.yml@refs/tags/*"}],
	] {
		claims.signed(_image, "provenance", signers) == {found} with input.claims as [found]
	}
}

test_signed_hears_nobody_else if {
	found := _claim(_provenance)
	every signers in [
		[],
		[{}],
		[{"issuer": _issuer}],
		[{"identity": _identity}],
		[{"issuer": "", "identity": ""}],
		[{"issuer": _issuer, "identity": "https://github.com/shop/web"}],
		[{"issuer": "https://token.actions.githubusercontent.com.evil.example", "identity": _identity}],
		[{"issuer": _issuer, "identity": _identity, "more": "x"}],
		[{"issuer": _issuer, "identityGlob": "*"}],
		[{"issuer": _issuer, "identityGlob": "**"}],
		[{"issuer": _issuer, "identityGlob": ""}],
		[{"issuer": _issuer, "identityGlob": "https://*/shop/web/.github/workflows/release.yml@refs/tags/v*"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/*/web/.github/workflows/release.yml@refs/tags/v*"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop/**"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop/web/*"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop/web/.github/workflows/{release,x}.yml@refs/tags/v1.4.2"}],
		[{"issuer": _issuer, "identityGlob": "https://github.com/shop[!a]web/.github/workflows/release.yml@refs/tags/v1.4.2"}],
		[{"keyId": "k"}],
		[{"name": "release"}],
		[{"name": ""}],
	] {
		claims.signed(_image, "provenance", signers) == set() with input.claims as [found]
	}
}

test_signed_by_key_and_by_name if {
	keyed := object.union(_claim(_provenance), {"signer": {"kind": "key", "keyId": "k", "name": "release"}})
	claims.signed(_image, "provenance", [{"keyId": "k"}]) == {keyed} with input.claims as [keyed]
	claims.signed(_image, "provenance", [{"name": "release"}]) == {keyed} with input.claims as [keyed]
	claims.signed(_image, "provenance", [{"keyId": ""}, {"keyId": "l"}, {"name": "r"}]) == set() with input.claims as [keyed]
}

test_signed_is_about_the_subject_and_the_kind if {
	found := _claim(_provenance)
	claims.signed(_other, "provenance", _signers) == set() with input.claims as [found]
	claims.signed(_image, "sbom", _signers) == set() with input.claims as [found]
	claims.signed(_image, "provenance", _signers) == set() with input.claims as [object.union(found, {"known": false})]
	claims.signed(_image, "provenance", _signers) == set() with input.claims as [object.remove(found, ["known"])]
	claims.signed(_image, "provenance", _signers) == set() with input as {}
}

test_built_by if {
	claims.built_by(_image, _signers, [_builder]) with input.claims as [_claim(_provenance)]
	every builders in [[], [""], [concat("", [_builder, "x"])], ["https://github.com/actions/runner"]] {
		not claims.built_by(_image, _signers, builders) with input.claims as [_claim(_provenance)]
	}
	not claims.built_by(_image, _signers, [_builder, ""]) with input.claims as [_claim(object.remove(_provenance, ["builder"]))]
	not claims.built_by(_image, _signers, [""]) with input.claims as [_claim(object.union(_provenance, {"builder": ""}))]
	not claims.built_by(_image, [], [_builder]) with input.claims as [_claim(_provenance)]
}

test_from_source if {
	claims.from_source(_image, _signers, [_source]) with input.claims as [_claim(_provenance)]
	every sources in [[], ["https://github.com/shop"], ["https://github.com/shop/web-evil"], ["https://github.com/shop/web.git"]] {
		not claims.from_source(_image, _signers, sources) with input.claims as [_claim(_provenance)]
	}
}

test_on_protected_ref if {
	every refs in [["refs/heads/main"], ["refs/tags/v*", "refs/heads/main"], ["refs/heads/m*"]] {
		claims.on_protected_ref(_image, _signers, refs) with input.claims as [_claim(_provenance)]
	}
	every refs in [[], ["main"], ["refs/heads/mai"], ["refs/heads/main2"], ["refs/tags/*"], ["refs/**"], ["**"], ["refs/*/main"], ["refs/heads/{main,x}"]] {
		not claims.on_protected_ref(_image, _signers, refs) with input.claims as [_claim(_provenance)]
	}
}

test_signed_by_a_build_that_the_certificate_names if {
	build := {"sourceRepositoryRef": "refs/heads/main", "runnerEnvironment": "github-hosted", "buildTrigger": "push"}
	found := object.union(_claim(_provenance), {"signer": {"build": build}})
	who := {"issuer": _issuer, "identity": _identity}
	every wanted in [{"runnerEnvironment": "github-hosted"}, build] {
		claims.signed(_image, "provenance", [object.union(who, {"build": wanted})]) == {found} with input.claims as [found]
	}
	every wanted in [
		{},
		{"runnerEnvironment": "self-hosted"},
		object.union(build, {"buildTrigger": "pull_request"}),
		{"runnerEnvironment": ""},
		{"runnerEnvironment": ["github-hosted"]},
		{"deploymentEnvironment": "production"},
		{"runner": "github-hosted"},
		"github-hosted",
		null,
		false,
	] {
		claims.signed(_image, "provenance", [object.union(who, {"build": wanted})]) == set() with input.claims as [found]
	}
	asked := object.union(who, {"build": {"buildTrigger": "push"}})
	claims.signed(_image, "provenance", [asked]) == set() with input.claims as [_claim(_provenance)]
	stranger := object.union(asked, {"identity": "https://github.com/evil/web/.github/workflows/release.yml@refs/tags/v1"})
	claims.signed(_image, "provenance", [stranger, {"build": build}, object.union(asked, {"x": "y"})]) == set() with input.claims as [found]
	keyed := object.union(object.remove(found, ["signer"]), {"signer": {"kind": "key", "name": "k", "keyId": "k"}})
	claims.signed(_image, "provenance", [{"keyId": "k", "build": build}]) == set() with input.claims as [keyed]
}

test_ref_of_a_build_that_states_none if {
	gitlab := {
		"subject": _image, "known": true,
		"signer": {"kind": "keyless", "issuer": "https://gitlab.com", "identity": "https://gitlab.com/shop/web//.gitlab-ci.yml@refs/heads/main"},
		"normalized": {"kind": "provenance", "builder": "b", "source": {"uri": "https://gitlab.com/shop/web", "commit": "c"}},
	}
	claims.ref(gitlab) == "refs/heads/main"
	not claims.ref(object.union(gitlab, {"normalized": {"source": {"uri": "https://gitlab.com/shop/other"}}}))
	not claims.ref(object.union(gitlab, {"signer": {"identity": "https://gitlab.com/shop/web/-/x@refs/heads/main"}}))
	not claims.ref(object.union(gitlab, {"signer": {"identity": "https://gitlab.com/shop/web//a@refs/heads/main@refs/tags/v1"}}))
	not claims.ref(object.union(gitlab, {"signer": {"kind": "key"}}))
}

test_built_wants_all_of_one_provenance if {
	expected := {"signers": _signers, "builders": [_builder], "sources": [_source], "refs": ["refs/heads/main"]}
	claims.built(_image, expected) with input.claims as [_claim(_provenance)]
	not claims.built(_image, expected) with input.claims as []
	halves := [
		_claim(object.union(_provenance, {"builder": "https://evil.example"})),
		_claim(object.union(_provenance, {"source": {"uri": "https://github.com/evil/web"}})),
	]
	not claims.built(_image, expected) with input.claims as halves
	claims.built_by(_image, _signers, [_builder]) with input.claims as halves
	claims.from_source(_image, _signers, [_source]) with input.claims as halves
	every member in ["signers", "builders", "sources", "refs"] {
		not claims.built(_image, object.remove(expected, [member])) with input.claims as [_claim(_provenance)]
	}
}

_summary := {"kind": "verification", "verifier": "https://verify.shop.example/v1", "passed": true, "levels": ["SLSA_BUILD_LEVEL_3", "SHOP_REVIEWED"], "buildLevel": 3}

_verifiers := ["https://verify.shop.example/v1"]

test_build_level if {
	claims.build_level(_image, _signers, _verifiers) == 3 with input.claims as [_claim(_summary), _claim(object.union(_summary, {"buildLevel": 2}))]
	claims.build_level(_image, _signers, _verifiers) == 0 with input.claims as []
	claims.build_level(_image, _signers, _verifiers) == 0 with input.claims as [_claim(object.union(_summary, {"passed": false}))]
	claims.build_level(_image, _signers, ["https://verify.shop.example"]) == 0 with input.claims as [_claim(_summary)]
	claims.build_level(_image, [], _verifiers) == 0 with input.claims as [_claim(_summary)]
	claims.at_build_level(_image, _signers, _verifiers, 3) with input.claims as [_claim(_summary)]
	not claims.at_build_level(_image, _signers, _verifiers, 4) with input.claims as [_claim(_summary)]
	not claims.at_build_level(_image, _signers, _verifiers, 0) with input.claims as []
}

test_builder_level if {
	claims.builder_level(_image, _signers, {_builder: 3, "": 4}) == 3 with input.claims as [_claim(_provenance)]
	claims.builder_level(_image, _signers, {"https://github.com/actions": 3}) == 0 with input.claims as [_claim(_provenance)]
	claims.builder_level(_image, _signers, {_builder: "9"}) == 0 with input.claims as [_claim(_provenance)]
	claims.builder_level(_image, [], {_builder: 3}) == 0 with input.claims as [_claim(_provenance)]
	claims.builder_level(_image, _signers, {"": 4}) == 0 with input.claims as [_claim(object.remove(_provenance, ["builder"]))]
}

test_has_property if {
	claims.has_property(_image, _signers, _verifiers, "SHOP_REVIEWED") with input.claims as [_claim(_summary)]
	not claims.has_property(_image, _signers, _verifiers, "SHOP") with input.claims as [_claim(_summary)]
	not claims.has_property(_image, _signers, _verifiers, "") with input.claims as [_claim(object.union(_summary, {"levels": [""]}))]
	not claims.has_property(_image, _signers, _verifiers, "SHOP_REVIEWED") with input.claims as [_claim(object.union(_summary, {"passed": false}))]
}

_scan(fields) := object.union({"kind": "vulnerabilities", "scanner": {"name": "trivy"}, "scannedAt": "2026-11-23T12:00:00.000Z", "vulnerabilities": []}, fields)

test_scanned_within if {
	claims.scanned_within(_image, _signers, 1) with input.claims as [_claim(_scan({}))] with input.context as _now
	not claims.scanned_within(_image, _signers, 0) with input.claims as [_claim(_scan({}))] with input.context as _now
	not claims.scanned_within(_image, [], 1) with input.claims as [_claim(_scan({}))] with input.context as _now
	not claims.scanned_within(_image, _signers, 1) with input.claims as [_claim(object.remove(_scan({}), ["scannedAt"]))] with input.context as _now
	not claims.scanned_within(_image, _signers, 1) with input.claims as [_claim(_scan({"scannedAt": "2026-11-24T12:06:00Z"}))] with input.context as _now
	claims.scanned_within(_image, _signers, 1) with input.claims as [_claim(_scan({"scannedAt": "2026-11-24T12:04:00Z"}))] with input.context as _now
}

test_a_scan_is_as_old_as_its_signature if {
	old := object.union(_claim(_scan({})), {"at": "2026-11-20T12:00:00Z"})
	not claims.scanned_within(_image, _signers, 1) with input.claims as [old] with input.context as _now
	claims.scanned_within(_image, _signers, 4) with input.claims as [old] with input.context as _now
	young := object.union(_claim(_scan({})), {"at": "2026-11-24T11:00:00Z"})
	not claims.scanned_within(_image, _signers, 0.5) with input.claims as [young] with input.context as _now
}

_found(fields) := object.union({"id": "CVE-2026-1", "severity": "critical", "package": "openssl", "publishedAt": "2026-11-20T12:00:00Z"}, fields)

test_no_critical_older_than if {
	clean := [_claim(_scan({}))]
	claims.no_critical_older_than(_image, _signers, 0, 1) with input.claims as clean with input.context as _now
	not claims.no_critical_older_than(_image, _signers, 0, 0) with input.claims as clean with input.context as _now
	not claims.no_critical_older_than(_image, _signers, 30, 1) with input.claims as [] with input.context as _now
	critical := [_claim(_scan({"vulnerabilities": [_found({})]}))]
	claims.no_critical_older_than(_image, _signers, 4, 1) with input.claims as critical with input.context as _now
	not claims.no_critical_older_than(_image, _signers, 3, 1) with input.claims as critical with input.context as _now
	high := [_claim(_scan({"vulnerabilities": [_found({"severity": "high"})]}))]
	claims.no_critical_older_than(_image, _signers, 3, 1) with input.claims as high with input.context as _now
}

test_what_is_not_known_stands_against_it if {
	undated := [_claim(_scan({"vulnerabilities": [object.remove(_found({}), ["publishedAt"])]}))]
	not claims.no_critical_older_than(_image, _signers, 1000, 1) with input.claims as undated with input.context as _now
	ahead := [_claim(_scan({"vulnerabilities": [_found({"publishedAt": "2027-11-20T12:00:00Z"})]}))]
	not claims.no_critical_older_than(_image, _signers, 1000, 1) with input.claims as ahead with input.context as _now
	unread := [_claim(object.remove(_scan({}), ["vulnerabilities"]))]
	not claims.no_critical_older_than(_image, _signers, 1000, 1) with input.claims as unread with input.context as _now
	limits := {"severities": [], "days": 1, "scanDays": 1}
	not claims.no_vulnerability(_image, _signers, limits) with input.claims as [_claim(_scan({}))] with input.context as _now
}

test_limits_that_are_not_whole_hold_nowhere if {
	limits := {"severities": ["critical"], "days": 1000, "scanDays": 1}
	claims.no_vulnerability(_image, _signers, limits) with input.claims as [_claim(_scan({}))] with input.context as _now
	every member in ["severities", "days", "scanDays"] {
		not claims.no_vulnerability(_image, _signers, object.remove(limits, [member])) with input.claims as [_claim(_scan({}))] with input.context as _now
	}
}

test_digest_of_an_image if {
	claims.digest({"digest": _image}) == _image
	every image in [{}, {"digest": null}, {"digest": 7}] {
		claims.digest(image) == ""
		not claims.built(claims.digest(image), {"signers": [], "builders": [], "sources": [], "refs": []}) with input.claims as []
	}
}

test_the_newest_scan_of_each_scanner_counts if {
	before := _claim(_scan({"scannedAt": "2026-11-22T12:00:00Z", "vulnerabilities": [_found({})]}))
	after := _claim(_scan({}))
	claims.no_critical_older_than(_image, _signers, 1, 7) with input.claims as [before, after] with input.context as _now
	grype := _claim(_scan({"scannedAt": "2026-11-22T12:00:00Z", "scanner": {"name": "grype"}, "vulnerabilities": [_found({})]}))
	not claims.no_critical_older_than(_image, _signers, 1, 7) with input.claims as [grype, after] with input.context as _now
	limits := {"severities": ["critical"], "days": 1, "scanDays": 7}
	claims.vulnerabilities(_image, _signers, limits) == {_found({})} with input.claims as [grype, after] with input.context as _now
	same := _claim(_scan({"vulnerabilities": [_found({})]}))
	not claims.no_critical_older_than(_image, _signers, 1, 7) with input.claims as [same, after] with input.context as _now
}

test_has_sbom if {
	listed := _claim({"kind": "sbom", "format": "spdx", "packages": [{"name": "openssl"}]})
	claims.has_sbom(_image, _signers) with input.claims as [listed]
	not claims.has_sbom(_other, _signers) with input.claims as [listed]
	not claims.has_sbom(_image, []) with input.claims as [listed]
	not claims.has_sbom(_image, _signers) with input.claims as [_claim({"kind": "sbom", "format": "spdx", "packages": []})]
}

test_is_signed if {
	claims.is_signed(_image, _signers) with input.claims as [_claim({"kind": "signature"})]
	not claims.is_signed(_image, []) with input.claims as [_claim({"kind": "signature"})]
	not claims.is_signed(_image, _signers) with input.claims as [_claim(_provenance)]
}

test_tests_passed if {
	passed := _claim({"kind": "test-result", "result": "passed"})
	failed := _claim({"kind": "test-result", "result": "failed"})
	claims.tests_passed(_image, _signers) with input.claims as [passed]
	not claims.tests_passed(_image, _signers) with input.claims as [passed, failed]
	not claims.tests_passed(_image, _signers) with input.claims as []
}
