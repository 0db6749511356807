package countersign.rules.custom.bare

import rego.v1

deny contains "no"
