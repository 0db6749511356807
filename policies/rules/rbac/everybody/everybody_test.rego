package countersign.rules.rbac.everybody_test

import data.countersign.rules.rbac.everybody as rule
import rego.v1

_binding(role, subject) := {
	"apiVersion": "rbac.authorization.k8s.io/v1",
	"kind": "ClusterRoleBinding",
	"metadata": {"name": "b"},
	"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
	"subjects": [{"kind": "ServiceAccount", "name": "api", "namespace": "shop"}, {"kind": "Group", "name": subject}],
}

test_good if {
	rule.deny == set() with input.object as _binding("view", "shop-support")
	rule.deny == set() with input.object as _binding("view", "system:serviceaccounts:shop")
	rule.deny == set() with input.object as object.union(_binding("view", "x"), {"subjects": null})
	rule.deny == set() with input.object as object.union(_binding("view", "system:authenticated"), {"kind": "Other"})
}

test_everybody if {
	every name in ["system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"] {
		every kind in ["ClusterRoleBinding", "RoleBinding"] {
			rule.deny == {{"msg": sprintf("the role is given to %q", [name]), "path": "/subjects/1"}} with input.object as object.union(_binding("view", name), {"kind": kind})
		}
	}
}

test_what_kubernetes_gives if {
	every role in ["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"] {
		rule.deny == set() with input.object as _binding(role, "system:unauthenticated")
		count(rule.deny) == 1 with input.object as object.union(_binding(role, "system:unauthenticated"), {"roleRef": {"kind": "Role"}})
	}
}

test_malformed if {
	rule.deny == {{"msg": "subjects is not a list of subjects", "path": "/subjects"}} with input.object as object.union(_binding("view", "x"), {"subjects": {"a": {"kind": "Group", "name": "system:authenticated"}}})
}
