package countersign.rules.rbac.escalation_test

import data.countersign.rules.rbac.escalation as rule
import rego.v1

_role(rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules}

_verbs(msg) := {{"msg": msg, "path": "/rules/0/verbs"}}

test_good if {
	rule.deny == set() with input.object as _role([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])
	rule.deny == set() with input.object as _role([{"resources": ["apiexports"], "verbs": ["bind"]}])
	rule.deny == set() with input.object as _role([{"resources": ["serviceaccounts/token"], "verbs": ["get"]}])
	rule.deny == set() with input.object as _role([{"resources": ["nodes/metrics", "pods/exec"], "verbs": ["get", "create"]}])
	rule.deny == set() with input.object as _role([{"verbs": ["impersonate:associated-node"], "resources": ["nodes"]}])
	rule.deny == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Service", "rules": [{"verbs": ["impersonate"]}]}
}

test_ways if {
	every way in [
		["escalate", "roles"], ["escalate", "clusterroles"], ["bind", "roles"], ["bind", "clusterroles"],
		["create", "serviceaccounts/token"], ["approve", "signers"], ["sign", "signers"],
	] {
		rule.deny == _verbs(sprintf("rule 0 allows to %s %s", way)) with input.object as _role([{"verbs": [way[0]], "resources": [way[1]]}])
	}
}

test_impersonation if {
	every verb in ["impersonate", "impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node"] {
		rule.deny == _verbs(sprintf("rule 0 allows to %s", [verb])) with input.object as _role([{"verbs": [verb], "resources": ["users"]}])
	}
}

test_bounded_by_names if {
	every verb_and_resource in [["bind", "clusterroles"], ["impersonate", "users"], ["create", "serviceaccounts/token"]] {
		rule.deny == set() with input.object as _role([{"verbs": [verb_and_resource[0]], "resources": [verb_and_resource[1]], "resourceNames": ["view"]}])
	}
	rule.deny == set() with input.object as _role([{"verbs": ["approve"], "resources": ["signers"], "resourceNames": ["shop.example/*"]}])
}

test_not_bounded if {
	rule.deny == _verbs("rule 0 allows to escalate roles") with input.object as _role([{"verbs": ["escalate"], "resources": ["roles"], "resourceNames": ["view"]}])
	rule.deny == _verbs("rule 0 allows to bind clusterroles") with input.object as _role([{"verbs": ["bind"], "resources": ["clusterroles"], "resourceNames": ["view", "cluster-admin"]}])
	rule.deny == _verbs("rule 0 allows to impersonate") with input.object as _role([{"verbs": ["impersonate"], "resources": ["groups"], "resourceNames": ["system:masters"]}])
	rule.deny == _verbs("rule 0 allows to impersonate") with input.object as _role([{"verbs": ["impersonate"], "resources": ["groups"], "resourceNames": []}])
	every signer in ["kubernetes.io/*", "kubernetes.io/kube-apiserver-client"] {
		rule.deny == _verbs("rule 0 allows to approve signers") with input.object as _role([{"verbs": ["approve"], "resources": ["signers"], "resourceNames": [signer]}])
	}
}

test_nodes_proxy if {
	rule.deny == {{"msg": "rule 1 allows nodes/proxy", "path": "/rules/1/resources"}} with input.object as _role([{}, {"verbs": ["get"], "resources": ["nodes", "nodes/proxy"], "resourceNames": ["n1"]}])
}

test_malformed if {
	rule.deny == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as _role([{"verbs": "impersonate"}])
}

test_all_verbs if {
	every resource in ["roles", "clusterroles", "serviceaccounts/token", "signers"] {
		rule.deny == _verbs(sprintf("rule 0 allows to do all with %s", [resource])) with input.object as _role([{"verbs": ["*"], "resources": [resource]}])
	}
	rule.deny == _verbs("rule 0 allows to do all with roles") with input.object as _role([{"verbs": ["*"], "resources": ["roles"], "resourceNames": ["view"]}])
	rule.deny == set() with input.object as _role([{"verbs": ["*"], "resources": ["signers", "serviceaccounts/token"], "resourceNames": ["shop.example/*"]}])
	rule.deny == set() with input.object as _role([{"verbs": ["*"], "apiGroups": [""], "resources": ["configmaps", "nodes", "pods/token"]}])
	rule.deny == set() with input.object as _role([{"verbs": ["*"], "apiGroups": ["user.shop.example"], "resources": ["users", "groups"]}])
}

test_all_verbs_impersonate if {
	every resource in ["users", "groups", "serviceaccounts", "uids", "userextras/scopes", "nodes"] {
		rule.deny == _verbs("rule 0 allows to impersonate") with input.object as _role([{"verbs": ["*"], "apiGroups": ["authentication.k8s.io"], "resources": [resource]}])
	}
	rule.deny == set() with input.object as _role([{"verbs": ["*"], "apiGroups": ["authentication.k8s.io"], "resources": ["users"], "resourceNames": ["a"]}])
}

test_all_of_a_subresource if {
	every group in ["", "*"] {
		entry := {"verbs": ["create", "get"], "apiGroups": [group], "resources": ["*/proxy", "*/token"]}
		rule.deny == {
			{"msg": "rule 0 allows to create */token", "path": "/rules/0/verbs"},
			{"msg": "rule 0 allows nodes/proxy", "path": "/rules/0/resources"},
		} with input.object as _role([entry])
		rule.deny == _verbs("rule 0 allows to create */token") with input.object as object.union(_role([entry]), {"kind": "Role"})
	}
	rule.deny == set() with input.object as _role([{"verbs": ["create"], "apiGroups": [""], "resources": ["*/scale"]}])
}

test_all_resources if {
	rule.deny == _verbs("rule 0 allows to bind *") with input.object as _role([{"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"]}])
	rule.deny == {{"msg": "rule 0 allows nodes/proxy", "path": "/rules/0/resources"}} with input.object as _role([{"verbs": ["get"], "apiGroups": [""], "resources": ["*"]}])
	rule.deny == set() with input.object as object.union(_role([{"verbs": ["get"], "apiGroups": [""], "resources": ["*"]}]), {"kind": "Role"})
	rule.deny == set() with input.object as _role([{"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*", "*/token", "*/proxy"]}])
	rule.deny == {
		{"msg": "rule 0 allows to do all with *", "path": "/rules/0/verbs"},
		{"msg": "rule 0 allows to impersonate", "path": "/rules/0/verbs"},
		{"msg": "rule 0 allows nodes/proxy", "path": "/rules/0/resources"},
	} with input.object as _role([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}])
}
