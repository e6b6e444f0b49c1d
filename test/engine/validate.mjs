// Runs the CDK's validation engine over templates, in one process: starting it
// costs more than all templates together.
//
// stdin:  {"library": folder of @aws/cloudformation-validate, "rules": [files],
//          "account": id, "regions": [names], "templates": [files]}
// stdout: [{"template", "region", "rule", "severity", "resource", "property", "message"}]
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const input = JSON.parse(readFileSync(0, 'utf8'))
const { RegoEngine, RuleFile, TemplateFile } = createRequire(import.meta.url)(input.library)
const engine = new RegoEngine({ customRules: input.rules.map((file) => new RuleFile(file)) })

const found = []
for (const region of input.regions) {
  for (const template of input.templates) {
    const report = engine.validateDetailed(new TemplateFile(template), {
      strict: true,
      severityLevel: 'WARN',
      pseudoParameterOverrides: { accountId: input.account, region },
    })
    for (const d of report.diagnostics) {
      found.push({
        template, region, rule: d.ruleId, severity: d.severity, message: d.message,
        resource: d.entity?.logicalId ?? '', property: d.propertyPath ?? '',
      })
    }
  }
}
process.stdout.write(JSON.stringify(found))
