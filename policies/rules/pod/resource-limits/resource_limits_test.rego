package countersign.rules.pod.resource_limits_test

import data.countersign.rules.pod.resource_limits as rule
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
	rule.deny == set() with input.object as _with({"resources": {"requests": {"cpu": 1}}})
}

test_nothing_set if {
	rule.deny == {
		{"msg": "container \"web\" has no requests.cpu", "path": "/spec/containers/0"},
		{"msg": "container \"web\" has no requests.memory", "path": "/spec/containers/0"},
		{"msg": "container \"web\" has no limits.memory", "path": "/spec/containers/0"},
	} with input.object as _pod({"containers": [{"name": "web"}]})
}

test_empty_or_malformed if {
	every value in ["", null, [], {}, true, "x", "-1Gi", -1] {
		rule.deny == {{"msg": "container \"web\" has no limits.memory", "path": "/spec/containers/0/resources"}} with input.object as _with({"resources": {"limits": {"memory": value}}})
	}
}

test_ephemeral_containers_take_no_resources if {
	rule.deny == set() with input.object as _pod({"containers": [_good], "ephemeralContainers": [{"name": "debug"}]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}

test_zero_is_no_limit if {
	every value in [0, 0.0, "0", "0Mi", "00.0", "0e3", "+0"] {
		rule.deny == {{"msg": "container \"web\" has no limits.memory", "path": "/spec/containers/0/resources"}} with input.object as _with({"resources": {"limits": {"memory": value}}})
	}
	every value in [1, 0.5, "1", "0.5Gi", "1e3", "+1", "100M", "1.", ".5G"] {
		rule.deny == set() with input.object as _with({"resources": {"limits": {"memory": value}}})
	}
}
