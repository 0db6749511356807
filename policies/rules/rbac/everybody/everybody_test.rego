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

_role(name, parts) := object.union({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}, parts)

_names := ["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"]

test_roles_that_kubernetes_gives if {
	good := {"rules": [
		{"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
		{"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
		{"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/healthz"]},
	]}
	bad := {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]}
	every name in _names {
		rule.deny == set() with input.object as _role(name, good)
		rule.deny == {{"msg": sprintf("rule 0 is given to everybody, since Kubernetes binds %q to all", [name]), "path": "/rules/0"}} with input.object as _role(name, bad)
		rule.deny == set() with input.object as object.union(_role(name, bad), {"kind": "Role"})
	}
	rule.deny == set() with input.object as _role("support", bad)
	every groups in [[], ["*"], ["authorization.k8s.io", "apps"]] {
		count(rule.deny) == 1 with input.object as _role("system:discovery", {"rules": [{"verbs": ["get"], "apiGroups": groups, "resources": ["secrets"]}]})
	}
}

test_gathering_role_that_kubernetes_gives if {
	gathering := {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "shop"}}]}}
	rule.deny == {{"msg": "\"system:discovery\" gathers the rules of others, and Kubernetes binds it to all", "path": "/aggregationRule"}} with input.object as _role("system:discovery", gathering)
	rule.deny == set() with input.object as _role("system:discovery", {"aggregationRule": null})
	rule.deny == set() with input.object as _role("support", gathering)
}

test_malformed_role_that_kubernetes_gives if {
	rule.deny == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as _role("system:discovery", {"rules": "x"})
	rule.deny == set() with input.object as _role("support", {"rules": "x"})
}
