package countersign.rules.custom.require_owner_test

import data.countersign.rules.custom.require_owner as rule
import rego.v1

test_missing if {
	rule.deny == {{"msg": "the label \"owner\" is missing", "path": "/metadata"}} with input.object as {"kind": "Deployment", "metadata": {"name": "web"}}
}

test_present if {
	rule.deny == set() with input.object as {"kind": "Deployment", "metadata": {"labels": {"owner": "shop"}}}
}

test_other_kinds if {
	rule.deny == set() with input.object as {"kind": "Service", "metadata": {}}
}
