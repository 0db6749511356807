package countersign.lib.rbac_test

import data.countersign.lib.rbac
import rego.v1

_rule := {"verbs": ["get"], "resources": [], "apiGroups": [], "nonResourceURLs": [], "resourceNames": []}

test_rules if {
	rbac.rules == {{"index": 1, "rule": _rule}} with input.object as {"kind": "Role", "rules": [1, {"verbs": ["get", 2], "apiGroups": null}]}
	rbac.rules == set() with input.object as {"kind": "Service", "rules": [{"verbs": ["get"]}]}
	rbac.rules == set() with input.object as {"kind": "ClusterRole", "rules": null}
}

test_readable_role if {
	every rules in [null, [], [{}], [{"verbs": null}], [{"verbs": ["get"], "resources": ["pods"]}]] {
		rbac.malformed_role == set() with input.object as {"kind": "ClusterRole", "rules": rules}
	}
	rbac.malformed_role == set() with input.object as {"kind": "Role"}
	rbac.malformed_role == set() with input.object as {"kind": "Service", "rules": 1}
}

test_malformed_role if {
	every rules in ["x", ["x"], {"a": {"verbs": ["*"]}}, [{"verbs": "*"}], [{"resourceNames": [1]}]] {
		rbac.malformed_role == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as {"kind": "Role", "rules": rules}
	}
}

test_subjects if {
	subjects := [{"kind": "User", "name": "a"}, 1, {"kind": "Group", "name": 2}]
	rbac.subjects == {{"index": 0, "name": "a"}} with input.object as {"kind": "RoleBinding", "subjects": subjects}
	rbac.subjects == set() with input.object as {"kind": "Role", "subjects": subjects}
	rbac.subjects == set() with input.object as {"kind": "RoleBinding"}
}

test_cluster_role if {
	rbac.cluster_role == "admin" with input.object as {"kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "admin"}}
	not rbac.cluster_role with input.object as {"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "admin"}}
	not rbac.cluster_role with input.object as {"kind": "Other", "roleRef": {"kind": "ClusterRole", "name": "admin"}}
}

test_readable_binding if {
	every subjects in [null, [], [{"kind": "User", "name": "a"}]] {
		rbac.malformed_binding == set() with input.object as {"kind": "RoleBinding", "subjects": subjects}
	}
	rbac.malformed_binding == set() with input.object as {"kind": "Role", "subjects": 1, "roleRef": 1}
	rbac.malformed_binding == set() with input.object as {"kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "a"}}
}

test_malformed_binding if {
	every subjects in ["x", {"a": {"kind": "User", "name": "a"}}, [1], [{"kind": "User"}], [{"kind": "User", "name": 1}]] {
		rbac.malformed_binding == {{"msg": "subjects is not a list of subjects", "path": "/subjects"}} with input.object as {"kind": "ClusterRoleBinding", "subjects": subjects}
	}
	every reference in [null, "cluster-admin", {"kind": "ClusterRole"}, {"kind": "ClusterRole", "name": ["cluster-admin"]}] {
		rbac.malformed_binding == {{"msg": "roleRef is no reference to a role", "path": "/roleRef"}} with input.object as {"kind": "RoleBinding", "roleRef": reference}
	}
}
