package countersign.rules.images.registry_test

import data.countersign.rules.images.registry as rule
import rego.v1

_pod := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "web"}]}}

_image(fields) := object.union({"ref": "registry.shop.example/web:1", "registry": "registry.shop.example", "repository": "web", "tag": "1", "container": "web", "path": "/spec/containers/0/image"}, fields)

_deny(image, registries) := found if {
	found := rule.deny with input.object as _pod with input.images as [image] with input.parameters as {"registries": registries}
}

test_allowed if {
	_deny(_image({}), ["registry.shop.example"]) == set()
	_deny(_image({"repository": "shop/web"}), ["registry.shop.example/shop"]) == set()
	_deny(_image({"repository": "shop"}), ["registry.shop.example/shop"]) == set()
}

test_look_alikes if {
	every registry in ["registry.shop.example.evil.io", "registry.shop.example:5000", "docker.io", ""] {
		_deny(_image({"registry": registry}), ["registry.shop.example"]) == {{"msg": "image \"registry.shop.example/web:1\" is from no allowed registry", "path": "/spec/containers/0/image"}}
	}
}

test_path_is_compared_by_segment if {
	count(_deny(_image({"repository": "shopping/web"}), ["registry.shop.example/shop"])) == 1
	count(_deny(_image({"repository": "web"}), ["registry.shop.example/shop"])) == 1
}

test_nothing_is_allowed_without_parameters if {
	rule.deny == {{"msg": "image \"registry.shop.example/web:1\" is from no allowed registry", "path": "/spec/containers/0/image"}} with input.object as _pod with input.images as [_image({})] with input.parameters as {}
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as {"kind": "Pod", "spec": {"containers": "x"}} with input.images as []
}
