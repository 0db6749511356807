package countersign.rules.pod.privileged_test

import data.countersign.rules.pod.privileged as rule
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
	rule.deny == set() with input.object as _pod({"containers": [{"name": "web"}]})
}

test_privileged_or_not_a_boolean if {
	every value in [true, "true", "false", null, 1] {
		rule.deny == {{"msg": "container \"web\" runs privileged", "path": "/spec/containers/0/securityContext/privileged"}} with input.object as _with({"securityContext": {"privileged": value}})
	}
}

test_init_container if {
	object := _pod({"containers": [_good], "initContainers": [{"name": "init", "securityContext": {"privileged": true}}]})
	rule.deny == {{"msg": "container \"init\" runs privileged", "path": "/spec/initContainers/0/securityContext/privileged"}} with input.object as object
}

test_malformed_context if {
	rule.deny == {{"msg": "container \"web\" has a securityContext that is no object", "path": "/spec/containers/0/securityContext"}} with input.object as _pod({"containers": [{"name": "web", "securityContext": "x"}]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}

_windows(value) := {"windowsOptions": {"hostProcess": value}}

test_host_process if {
	container := {"name": "a", "securityContext": _windows(true)}
	rule.deny == {{"msg": "container \"a\" is a host process", "path": "/spec/containers/0/securityContext/windowsOptions/hostProcess"}} with input.object as {"kind": "Pod", "spec": {"containers": [container]}}
	rule.deny == {{"msg": "the pod runs host processes", "path": "/spec/securityContext/windowsOptions/hostProcess"}} with input.object as {"kind": "Pod", "spec": {"containers": [{"name": "a"}], "securityContext": _windows(true)}}
	every value in [false, null] {
		rule.deny == set() with input.object as {"kind": "Pod", "spec": {"containers": [{"name": "a", "securityContext": _windows(value)}]}}
	}
}

test_proc_mount if {
	unmasked := {"name": "a", "securityContext": {"procMount": "Unmasked"}}
	rule.deny == {{"msg": "container \"a\" sees all of /proc", "path": "/spec/containers/0/securityContext/procMount"}} with input.object as {"kind": "Pod", "spec": {"containers": [unmasked]}}
	rule.deny == set() with input.object as {"kind": "Pod", "spec": {"containers": [{"name": "a", "securityContext": {"procMount": "Default"}}]}}
}
