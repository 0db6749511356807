package countersign.rules.rbac.cluster_admin_test

import data.countersign.rules.rbac.cluster_admin as rule
import rego.v1

_binding(kind, reference) := {
	"apiVersion": "rbac.authorization.k8s.io/v1",
	"kind": kind,
	"metadata": {"name": "b"},
	"roleRef": reference,
	"subjects": [{"kind": "ServiceAccount", "name": "api", "namespace": "shop"}],
}

test_good if {
	rule.deny == set() with input.object as _binding("ClusterRoleBinding", {"kind": "ClusterRole", "name": "view"})
	rule.deny == set() with input.object as _binding("RoleBinding", {"kind": "Role", "name": "cluster-admin"})
	rule.deny == set() with input.object as _binding("Other", {"kind": "ClusterRole", "name": "cluster-admin"})
}

test_cluster_admin if {
	every kind in ["ClusterRoleBinding", "RoleBinding"] {
		rule.deny == {{"msg": "the binding gives cluster-admin, which allows all", "path": "/roleRef/name"}} with input.object as _binding(kind, {"kind": "ClusterRole", "name": "cluster-admin"})
	}
}

test_malformed if {
	rule.deny == {{"msg": "roleRef is no reference to a role", "path": "/roleRef"}} with input.object as _binding("RoleBinding", "cluster-admin")
}
