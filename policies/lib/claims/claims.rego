# METADATA
# scope: package
# title: Claims
# description: What was proved about an image, asked by its digest (`sha256:…`). Every helper takes the signers whose word counts; of anybody else's nothing is heard.
package countersign.lib.claims

import rego.v1

# The digest of an image to ask about, empty where it has none: nothing is proved of a tag. `not claims.built(image.digest, …)` would
# say nothing of such an image, since what is undefined in an argument takes the whole line away.
digest(image) := image.digest if is_string(image.digest)

digest(image) := "" if not is_string(object.get(image, "digest", null))

# The claims about a subject of one kind (`provenance`, `verification`, `sbom`, …) by one of these signers. Only claims that the
# engine has verified, of a type that it knows, are ever in the input under `known: true`.
#
# signers: a list of {"name"} | {"issuer", "identity"} | {"issuer", "identityGlob"} | {"keyId"}; an empty list is nobody. With a
# member "build" beside these, the signer's certificate must say all of it, each exactly: {"sourceRepositoryRef": "refs/heads/main"}.
signed(subject, kind, signers) := {claim |
	some claim in input.claims
	claim.subject == subject
	claim.known == true
	claim.normalized.kind == kind
	_is_signed(claim.signer, signers)
}

_is_signed(signer, signers) if {
	some wanted in signers
	_matches(signer, wanted)
}

_is_signed(signer, signers) if {
	some wanted in signers
	is_object(wanted)
	_is_built(signer, wanted.build)
	_matches(signer, object.remove(wanted, ["build"]))
}

# What the certificate of a signer says of its build, as the forge told the authority. Nothing asked for is nothing known.
_is_built(signer, build) if {
	is_object(build)
	count(build) > 0
	every member, value in build {
		is_string(value)
		value != ""
		signer.build[member] == value
	}
}

# Exactly these members, so that a misspelt one matches nothing instead of taking a condition away.
_matches(signer, {"name": name}) if {
	name != ""
	signer.name == name
}

_matches(signer, {"issuer": issuer, "identity": identity}) if {
	signer.kind == "keyless"
	issuer != ""
	identity != ""
	signer.issuer == issuer
	signer.identity == identity
}

_matches(signer, {"issuer": issuer, "identityGlob": pattern}) if {
	signer.kind == "keyless"
	issuer != ""
	signer.issuer == issuer
	_is_anchored(pattern)
	glob.match(pattern, ["/"], signer.identity)
}

_matches(signer, {"keyId": id}) if {
	signer.kind == "key"
	id != ""
	signer.keyId == id
}

# Host and first path segment are literal: `https://github.com/shop/*/.github/workflows/release.yml@refs/tags/v*`.
_is_anchored(pattern) if {
	parts := split(pattern, "/")
	count(parts) > 4
	parts[0] == "https:"
	parts[1] == ""
	every part in array.slice(parts, 2, 4) {
		regex.match(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`, part)
	}
	regex.match(`^[A-Za-z0-9._:/@+*-]+$`, pattern)
	not contains(pattern, "**")
}

# The provenance that names one of these builders, by `builder.id` in full.
built_by(subject, signers, builders) if count(_built_by(subject, signers, builders)) > 0

_built_by(subject, signers, builders) := {claim |
	some claim in signed(subject, "provenance", signers)
	claim.normalized.builder in _texts(builders)
}

# The provenance that names one of these repositories as the source: `https://github.com/shop/web`, without `git+` and `.git`.
from_source(subject, signers, sources) if count(_from_source(subject, signers, sources)) > 0

_from_source(subject, signers, sources) := {claim |
	some claim in signed(subject, "provenance", signers)
	claim.normalized.source.uri in _texts(sources)
}

# The provenance of a build on one of these refs, each a whole ref or a glob (`refs/heads/main`, `refs/tags/v*`): the ones that the
# forge protects. What a build says of its own variables is not asked, since the build may set them.
on_protected_ref(subject, signers, refs) if count(_on_protected_ref(subject, signers, refs)) > 0

_on_protected_ref(subject, signers, refs) := {claim |
	some claim in signed(subject, "provenance", signers)
	_is_protected(claim, refs)
}

_is_protected(claim, refs) if {
	some pattern in refs
	regex.match(`^refs/(heads|tags)/[A-Za-z0-9._/@+*-]+$`, pattern)
	not contains(pattern, "**")
	glob.match(pattern, ["/"], ref(claim))
}

# The ref that was built, whole: as the provenance says, else as the signer's certificate does where the pipeline's own
# configuration was signed for (`https://gitlab.com/shop/web//.gitlab-ci.yml@refs/heads/main` for `https://gitlab.com/shop/web`).
ref(claim) := claim.normalized.source.ref

ref(claim) := concat("", ["refs/", parts[1]]) if {
	not claim.normalized.source.ref
	claim.signer.kind == "keyless"
	startswith(claim.signer.identity, concat("", [claim.normalized.source.uri, "//"]))
	parts := split(claim.signer.identity, "@refs/")
	count(parts) == 2
}

# One provenance that meets all of it: `expected` has signers, builders, sources and refs, each of them a list, as above. Asking one
# by one would let the builder be that of one provenance and the source that of another.
built(subject, expected) if {
	builders := _built_by(subject, expected.signers, expected.builders)
	sources := _from_source(subject, expected.signers, expected.sources)
	refs := _on_protected_ref(subject, expected.signers, expected.refs)
	count((builders & sources) & refs) > 0
}

# The highest SLSA build level that one of these verifiers (`verifier.id` in full) found in a summary that passed; 0 without one.
build_level(subject, signers, verifiers) := max({0} | {level |
	some claim in signed(subject, "verification", signers)
	claim.normalized.passed == true
	claim.normalized.verifier in _texts(verifiers)
	level := claim.normalized.buildLevel
})

at_build_level(subject, signers, verifiers, level) if {
	level > 0
	build_level(subject, signers, verifiers) >= level
}

# The highest SLSA build level of the builders that provenance names, by what the rule knows of them: {"<builder.id>": level}; 0
# without one. Provenance never says its own level: it is as good as its builder.
builder_level(subject, signers, levels) := max({0} | {level |
	some claim in signed(subject, "provenance", signers)
	level := levels[claim.normalized.builder]
	is_number(level)
})

# Whether a passing summary of one of these verifiers has this level or property: `SLSA_SOURCE_LEVEL_3`, `SHOP_REVIEWED`.
has_property(subject, signers, verifiers, property) if {
	property != ""
	some claim in signed(subject, "verification", signers)
	claim.normalized.passed == true
	claim.normalized.verifier in _texts(verifiers)
	property in claim.normalized.levels
}

# Whether a scan for vulnerabilities is at most so many days old.
scanned_within(subject, signers, days) if count(_scans(subject, signers, days)) > 0

_scans(subject, signers, days) := {claim |
	some claim in signed(subject, "vulnerabilities", signers)
	age := _age_ns(_scanned_at(claim))
	age >= 0 - _skew_ns
	age <= days * _day_ns
}

# A scan is as old as it says, or as its signature is known to be, whichever is older.
_scanned_at(claim) := min({time.parse_rfc3339_ns(text) |
	some text in [claim.normalized.scannedAt, object.get(claim, "at", claim.normalized.scannedAt)]
})

_day_ns := ((24 * 60) * 60) * 1000000000

# Clocks differ: what is five minutes ahead is of now, what is further ahead is false.
_skew_ns := (5 * 60) * 1000000000

_age_ns(then) := time.parse_rfc3339_ns(input.context.time) - then

# Whether the image was scanned in the last `scan_days` days and the newest scan of each scanner has no critical vulnerability that
# is known for more than `days` days. One whose age nobody knows is old.
no_critical_older_than(subject, signers, days, scan_days) if {
	no_vulnerability(subject, signers, {"severities": ["critical"], "days": days, "scanDays": scan_days})
}

# The same for any severities (`critical`, `high`, `medium`, `low`, `negligible`, `unknown`). A scan whose result the engine cannot
# read has no list of vulnerabilities, and is none that says there are none.
no_vulnerability(subject, signers, limits) if {
	scans := _newest(_scans(subject, signers, limits.scanDays))
	count(scans) > 0
	count(limits.severities) > 0
	is_number(limits.days)
	every scan in scans {
		is_array(scan.normalized.vulnerabilities)
		count(_old(scan, limits)) == 0
	}
}

# What stands against it, for a message: {"id", "severity", "package", …}.
vulnerabilities(subject, signers, limits) := {found |
	some scan in _newest(_scans(subject, signers, limits.scanDays))
	some found in _old(scan, limits)
}

_newest(scans) := {scan |
	some scan in scans
	mine := _scanned_at(scan)
	every other in scans {
		_is_at_most(other, scan, mine)
	}
}

_is_at_most(other, scan, _) if other.normalized.scanner.name != scan.normalized.scanner.name

_is_at_most(other, _, mine) if _scanned_at(other) <= mine

_old(scan, limits) := {found |
	some found in scan.normalized.vulnerabilities
	found.severity in limits.severities
	not _is_recent(found, limits.days)
}

_is_recent(found, days) if {
	age := _age_ns(time.parse_rfc3339_ns(found.publishedAt))
	age >= 0 - _skew_ns
	age <= days * _day_ns
}

# Whether there is a bill of materials that lists anything.
has_sbom(subject, signers) if {
	some claim in signed(subject, "sbom", signers)
	count(claim.normalized.packages) > 0
}

# Whether one of them signed the image itself, as cosign does, and so stands for it whatever it is.
is_signed(subject, signers) if count(signed(subject, "signature", signers)) > 0

# Whether tests were run and none of the results that count failed.
tests_passed(subject, signers) if {
	results := {claim.normalized.result | some claim in signed(subject, "test-result", signers)}
	results == {"passed"}
}

# A list of texts; an empty one matches nothing, and neither does a member that is no text.
_texts(list) := {text |
	some text in list
	is_string(text)
	text != ""
}
