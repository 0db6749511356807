# METADATA
# scope: package
# title: "Pods get no API token they did not ask for"
# description: "Each pod sets automountServiceAccountToken to false."
# custom:
#   severity: medium
#   controls: [cis:5.1.6, nsa-cisa:protecting-pod-service-account-tokens]
#   remedy: "set automountServiceAccountToken to false; a pod that calls the API mounts a projected token instead"
package countersign.rules.pod.service_account_token

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": "the pod mounts its service account's token", "path": pods.spec_path} if {
	pods.spec_path
	object.get(pods.spec, "automountServiceAccountToken", true) != false
}
