package countersign.lib.rbac_test

import data.countersign.lib.rbac
import rego.v1

_rule := {"verbs": ["get"], "resources": [], "apiGroups": [], "nonResourceURLs": [], "resourceNames": []}

test_rules if {
	rbac.rules == {{"index": 1, "rule": _rule}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": [1, {"verbs": ["get", 2], "apiGroups": null}]}
	rbac.rules == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Service", "rules": [{"verbs": ["get"]}]}
	rbac.rules == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": null}
}

test_readable_role if {
	every rules in [null, [], [{}], [{"verbs": null}], [{"verbs": ["get"], "resources": ["pods"]}]] {
		rbac.malformed_role == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules}
	}
	rbac.malformed_role == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
	rbac.malformed_role == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Service", "rules": 1}
}

test_malformed_role if {
	every rules in ["x", ["x"], {"a": {"verbs": ["*"]}}, [{"verbs": "*"}], [{"resourceNames": [1]}]] {
		rbac.malformed_role == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules}
	}
}

test_subjects if {
	subjects := [{"kind": "User", "name": "a"}, 1, {"kind": "Group", "name": 2}]
	rbac.subjects == {{"index": 0, "name": "a"}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "subjects": subjects}
	rbac.subjects == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "subjects": subjects}
	rbac.subjects == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}
}

test_cluster_role if {
	rbac.cluster_role == "admin" with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "admin"}}
	not rbac.cluster_role with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "admin"}}
	not rbac.cluster_role with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Other", "roleRef": {"kind": "ClusterRole", "name": "admin"}}
}

test_readable_binding if {
	every subjects in [null, [], [{"kind": "User", "name": "a"}]] {
		rbac.malformed_binding == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "subjects": subjects}
	}
	rbac.malformed_binding == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "subjects": 1, "roleRef": 1}
	rbac.malformed_binding == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "a"}}
}

test_malformed_binding if {
	every subjects in ["x", {"a": {"kind": "User", "name": "a"}}, [1], [{"kind": "User"}], [{"kind": "User", "name": 1}]] {
		rbac.malformed_binding == {{"msg": "subjects is not a list of subjects", "path": "/subjects"}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "subjects": subjects}
	}
	every reference in [null, "cluster-admin", {"kind": "ClusterRole"}, {"kind": "ClusterRole", "name": ["cluster-admin"]}] {
		rbac.malformed_binding == {{"msg": "roleRef is no reference to a role", "path": "/roleRef"}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": reference}
	}
}

test_kinds_of_other_groups if {
	every version in ["authorization.openshift.io/v1", "v1", "rbac.authorization.k8s.io.shop.example/v1"] {
		binding := {"apiVersion": version, "kind": "RoleBinding", "roleRef": {"name": "view"}, "subjects": [{"kind": "User", "name": "a"}]}
		rbac.malformed_binding == set() with input.object as binding
		rbac.subjects == set() with input.object as binding
		not rbac.cluster_role with input.object as object.union(binding, {"roleRef": {"kind": "ClusterRole"}})
		role := {"apiVersion": version, "kind": "ClusterRole", "rules": [{"verbs": ["get"]}, 1]}
		rbac.rules == set() with input.object as role
		rbac.malformed_role == set() with input.object as role
		not rbac.is_cluster_role with input.object as role
	}
}

test_cluster_role_itself if {
	rbac.is_cluster_role with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
	not rbac.is_cluster_role with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
}
