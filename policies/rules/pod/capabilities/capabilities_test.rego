package countersign.rules.pod.capabilities_test

import data.countersign.rules.pod.capabilities as rule
import rego.v1

_good := {
	"name": "web",
	"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
	"securityContext": {
		"privileged": false,
		"runAsNonRoot": true,
		"allowPrivilegeEscalation": false,
		"readOnlyRootFilesystem": true,
		"capabilities": {"drop": ["ALL"]},
	},
}

_pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}

_with(patch) := _pod({"automountServiceAccountToken": false, "containers": [object.union(_good, patch)]})

test_good if {
	rule.deny == set() with input.object as _with({})
	rule.deny == set() with input.object as _with({"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}})
}

test_nothing_dropped if {
	rule.deny == {{"msg": "container \"web\" does not drop ALL capabilities", "path": "/spec/containers/0"}} with input.object as _pod({"containers": [{"name": "web"}]})
	rule.deny == {{"msg": "container \"web\" does not drop ALL capabilities", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"capabilities": {"drop": ["NET_RAW"]}}})
}

test_added if {
	rule.deny == {{"msg": "container \"web\" adds capability SYS_ADMIN", "path": "/spec/containers/0/securityContext/capabilities/add"}} with input.object as _with({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}})
}

test_malformed if {
	{"msg": "container \"web\" has capabilities that are no lists", "path": "/spec/containers/0/securityContext/capabilities"} in rule.deny with input.object as _with({"securityContext": {"capabilities": {"add": "SYS_ADMIN"}}})
}

test_null_is_not_set if {
	rule.deny == set() with input.object as _with({"securityContext": {"capabilities": {"add": null}}})
	rule.deny == {{"msg": "container \"web\" does not drop ALL capabilities", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"capabilities": null}})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}
