package countersign.rules.pod.run_as_non_root_test

import data.countersign.rules.pod.run_as_non_root as rule
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
}

test_inherited_from_the_pod if {
	rule.deny == set() with input.object as _pod({"securityContext": {"runAsNonRoot": true}, "containers": [{"name": "web"}]})
}

test_missing_false_or_a_string if {
	every value in [false, "true", null] {
		rule.deny == {{"msg": "container \"web\" may run as root", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"runAsNonRoot": value}})
	}
	rule.deny == {{"msg": "container \"web\" may run as root", "path": "/spec/containers/0"}} with input.object as _pod({"containers": [{"name": "web"}]})
}

test_user_zero if {
	rule.deny == {{"msg": "container \"web\" runs as user 0", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"runAsUser": 0}})
}

test_malformed_pod if {
	rule.deny == {{"msg": "the pod has no containers", "path": "/spec"}} with input.object as _pod({})
}

test_user_that_is_no_number if {
	rule.deny == {{"msg": "container \"web\" runs as user 0", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"runAsUser": "0"}})
}

test_null_inherits_user_zero if {
	pod := _pod({"securityContext": {"runAsUser": 0}, "containers": [object.union(_good, {"securityContext": {"runAsUser": null}})]})
	rule.deny == {{"msg": "container \"web\" runs as user 0", "path": "/spec/containers/0/securityContext"}} with input.object as pod
	rule.deny == set() with input.object as _pod({"securityContext": {"runAsUser": 0}, "containers": [object.union(_good, {"securityContext": {"runAsUser": 1000}})]})
}

test_malformed_context_does_not_inherit if {
	rule.deny == {{"msg": "container \"web\" has a securityContext that is no object", "path": "/spec/containers/0/securityContext"}} with input.object as _pod({"securityContext": {"runAsNonRoot": true}, "containers": [{"name": "web", "securityContext": "x"}]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}
