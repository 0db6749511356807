package countersign.rules.pod.host_namespaces_test

import data.countersign.rules.pod.host_namespaces as rule
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
	rule.deny == set() with input.object as _pod({"hostNetwork": false, "containers": [_good]})
}

test_each_namespace if {
	every field in ["hostNetwork", "hostPID", "hostIPC"] {
		rule.deny == {{"msg": sprintf("the pod sets %s", [field]), "path": sprintf("/spec/%s", [field])}} with input.object as _pod({field: true, "containers": [_good]})
	}
}

test_a_string_is_not_false if {
	count(rule.deny) == 1 with input.object as _pod({"hostNetwork": "false", "containers": [_good]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}
