package countersign.rules.rbac.wildcard_test

import data.countersign.rules.rbac.wildcard as rule
import rego.v1

_role(rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules}

test_good if {
	rule.deny == set() with input.object as _role([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])
	rule.deny == set() with input.object as {"kind": "ClusterRole", "rules": null}
	rule.deny == set() with input.object as _role([{"apiGroups": null, "verbs": ["get"]}])
	rule.deny == set() with input.object as {"kind": "Service", "rules": [{"verbs": ["*"]}]}
}

test_each_field if {
	every field in ["verbs", "resources", "apiGroups", "nonResourceURLs"] {
		rule.deny == {{"msg": sprintf("rule 0 allows all %s", [field]), "path": sprintf("/rules/0/%s", [field])}} with input.object as _role([{field: ["*"]}])
	}
	count(rule.deny) == 1 with input.object as _role([{"resources": ["*/scale"]}])
}

test_malformed if {
	every rules in ["x", ["x"], [{"verbs": "*"}], [{"verbs": [1]}]] {
		rule.deny == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as _role(rules)
	}
}

test_malformed_rules_object if {
	rule.deny == {{"msg": "rules is not a list of rules", "path": "/rules"}} with input.object as _role({"a": {"verbs": ["*"]}})
}
