package countersign.rules.images.digest_test

import data.countersign.rules.images.digest as rule
import rego.v1

_pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "web"}]}}

_image(fields) := object.union({"ref": "registry.shop.example/web:1", "registry": "registry.shop.example", "repository": "web", "tag": "1", "container": "web", "path": "/spec/containers/0/image"}, fields)

test_good if {
	rule.deny == set() with input.object as _pod with input.images as [_image({"digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})]
	rule.deny == set() with input.object as _pod with input.images as []
}

test_no_digest if {
	rule.deny == {{"msg": "image \"registry.shop.example/web:1\" has no digest", "path": "/spec/containers/0/image"}} with input.object as _pod with input.images as [_image({})]
}

test_short_digest if {
	count(rule.deny) == 1 with input.object as _pod with input.images as [_image({"digest": "sha256:abc"})]
}

test_other_digests if {
	hex := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	rule.deny == set() with input.object as _pod with input.images as [_image({"digest": sprintf("sha512:%s%s", [hex, hex])})]
	every digest in ["", null, hex, sprintf("md5:%s", [hex]), sprintf("sha256:%s", [upper(hex)]), sprintf("sha256:%s:0", [hex])] {
		rule.deny == {{"msg": "image \"registry.shop.example/web:1\" has no digest", "path": "/spec/containers/0/image"}} with input.object as _pod with input.images as [_image({"digest": digest})]
	}
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as {"kind": "Pod", "spec": {"containers": "x"}} with input.images as []
}
