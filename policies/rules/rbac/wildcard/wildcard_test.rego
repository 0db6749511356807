package countersign.rules.rbac.wildcard_test

import data.countersign.rules.rbac.wildcard as rule
import rego.v1

_role(rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules}

_gathering(selectors) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "aggregationRule": {"clusterRoleSelectors": selectors}}

_label := "kubernetes.io/bootstrapping"

test_good if {
	rule.deny == set() with input.object as _role([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])
	rule.deny == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": null}
	rule.deny == set() with input.object as _role([{"apiGroups": null, "verbs": ["get"]}])
	rule.deny == set() with input.object as {"kind": "Service", "rules": [{"verbs": ["*"]}]}
}

test_each_field if {
	every field in ["verbs", "resources", "apiGroups", "nonResourceURLs"] {
		rule.deny == {{"msg": sprintf("rule 0 allows all %s", [field]), "path": sprintf("/rules/0/%s", [field])}} with input.object as _role([{field: ["*"]}])
	}
	count(rule.deny) == 1 with input.object as _role([{"resources": ["*/scale"]}])
	rule.deny == set() with input.object as _role([{"resourceNames": ["*"]}])
}

test_urls if {
	every url in ["*", "/*", "/**"] {
		rule.deny == {{"msg": "rule 0 allows all nonResourceURLs", "path": "/rules/0/nonResourceURLs"}} with input.object as _role([{"nonResourceURLs": ["/version", url]}])
	}
	rule.deny == set() with input.object as _role([{"nonResourceURLs": ["/healthz", "/healthz/*", "/metrics*", "/"]}])
}

test_malformed if {
	every rules in ["x", ["x"], [{"verbs": "*"}], [{"verbs": [1]}], {"a": {"verbs": ["*"]}}] {
		rule.deny == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as _role(rules)
	}
}

test_gathers_cluster_admin if {
	every selector in [
		{},
		null,
		{"matchLabels": null},
		{"matchLabels": {_label: "rbac-defaults"}},
		{"matchExpressions": [{"key": _label, "operator": "In", "values": ["x", "rbac-defaults"]}]},
		{"matchExpressions": [{"key": _label, "operator": "Exists"}]},
		{"matchExpressions": [{"key": _label, "operator": "NotIn", "values": ["x"]}]},
		{"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["shop"]}]},
		{"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
		{"matchExpressions": ["x"]},
		{"matchExpressions": "x"},
	] {
		rule.deny == {{"msg": "selector 0 gathers cluster-admin, which allows all", "path": "/aggregationRule/clusterRoleSelectors/0"}} with input.object as _gathering([selector])
	}
}

test_gathers_by_a_label if {
	every selector in [
		{"matchLabels": {"rbac.shop.example/aggregate-to-support": "true"}},
		{"matchLabels": {_label: "rbac-defaults", "team": "shop"}},
		{"matchLabels": {_label: "x"}},
		{"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop"]}]},
		{"matchExpressions": [{"key": "team", "operator": "Exists"}]},
		{"matchExpressions": [{"key": _label, "operator": "NotIn", "values": ["rbac-defaults"]}]},
		{"matchExpressions": [{"key": _label, "operator": "DoesNotExist"}]},
	] {
		rule.deny == set() with input.object as _gathering([selector])
	}
	rule.deny == set() with input.object as _gathering(null)
	rule.deny == set() with input.object as object.union(_gathering([{}]), {"kind": "Other"})
	rule.deny == set() with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "aggregationRule": null}
}

test_each_selector if {
	count(rule.deny) == 2 with input.object as _gathering([{}, {"matchLabels": {"team": "shop"}}, {}])
}

test_malformed_aggregation if {
	every value in ["x", [], {"clusterRoleSelectors": {}}] {
		rule.deny == {{"msg": "aggregationRule is not a list of selectors", "path": "/aggregationRule"}} with input.object as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "aggregationRule": value}
	}
}
