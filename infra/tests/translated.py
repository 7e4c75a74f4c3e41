"""The template as CloudFormation gets it: SAM transforms it, and what depends on the parameters is put in.

`Translated(parameters).resources` is plain CloudFormation of one deployment. What only AWS knows stays as a reference in
its text, always in one form: `!Ref X` and `${X}` as "${X}", `!GetAtt X.Arn` and `${X.Arn}` as "${X.Arn}". Nothing asks AWS
for anything.
"""

import copy
import logging
import os
import re
from functools import cache
from pathlib import Path

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "infra/template.yaml"
REGION = "eu-central-1"
ACCOUNT = "123456789012"
STACK = "id"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
}
FUNCTION = "AWS::Lambda::Function"
NOTHING = object()
# SAM's own worries: about metrics that it would send, and features that are still to come.
logging.getLogger("samtranslator").setLevel(logging.ERROR)
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class NoManagedPolicies(ManagedPolicyLoader):
    """SAM would ask IAM for the ARNs of policies that AWS keeps; no role here has one."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


@cache
def source():
    """The template as it is written, with its tags as `Fn::…`."""
    return yaml_parse(TEMPLATE.read_text())


def defaults():
    """The parameters that have a default."""
    parameters = source()["Parameters"].items()
    return {name: declared["Default"] for name, declared in parameters if "Default" in declared}


def refused(given):
    """Which of the values CloudFormation would not take, by the declarations of the parameters and by the rules."""
    values = defaults() | given
    wrong = []
    for name, value in values.items():
        declared = source()["Parameters"].get(name)
        if declared is None:
            wrong.append(f"{name} is no parameter")
            continue
        allowed, pattern = declared.get("AllowedValues"), declared.get("AllowedPattern")
        if allowed is not None and value not in allowed:
            wrong.append(f"{name} is none of its values")
        if pattern is not None and not re.fullmatch(pattern, str(value)):
            wrong.append(f"{name} {declared['ConstraintDescription']}")
        if len(str(value)) > declared.get("MaxLength", 4096):
            wrong.append(f"{name} {declared['ConstraintDescription']}")
        if declared["Type"] == "Number":
            least, most = declared.get("MinValue", value), declared.get("MaxValue", value)
            if not least <= value <= most:
                wrong.append(f"{name} is not {least} to {most}")
    evaluate = Evaluation(values, {})
    for rule in source().get("Rules", {}).values():
        if evaluate.truth(rule["RuleCondition"]):
            broken = [a for a in rule["Assertions"] if not evaluate.truth(a["Assert"])]
            wrong.extend(assertion["AssertDescription"] for assertion in broken)
    return wrong


class Translated:
    """One deployment of the template."""

    def __init__(self, given=None):
        self.parameters = defaults() | (given or {})
        template = copy.deepcopy(source())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                # As after `sam package`.
                code = Path(resource["Properties"]["CodeUri"]).name
                resource["Properties"]["CodeUri"] = f"s3://bucket/{code}"
        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
        cloudformation = transform(template, dict(self.parameters), NoManagedPolicies())
        evaluate = Evaluation(self.parameters, cloudformation.get("Conditions", {}))
        self.resources = evaluate.chosen(cloudformation["Resources"])
        self.outputs = evaluate.chosen(cloudformation["Outputs"])

    def of_type(self, kind):
        """The properties of all resources of this type, by logical id."""
        found = self.resources.items()
        return {name: one.get("Properties", {}) for name, one in found if one["Type"] == kind}

    def properties(self, name):
        """The properties of one resource."""
        return self.resources[name]["Properties"]

    def functions(self):
        """The functions, by logical id."""
        return self.of_type(FUNCTION)


class Evaluation:
    """The intrinsic functions that the template uses."""

    def __init__(self, parameters, conditions):
        self.known = PSEUDO | {name: value for name, value in parameters.items()}
        self.conditions = conditions

    def chosen(self, items):
        """The resources or outputs whose condition holds."""
        there = {k: v for k, v in items.items() if self.holds(v.get("Condition"))}
        return self.value(there)

    def holds(self, name):
        """Whether the condition of this name is true; no name is."""
        return name is None or self.truth(self.conditions[name])

    def truth(self, condition):
        """What a condition says."""
        ((kind, operand),) = condition.items()
        if kind == "Condition":
            return self.holds(operand)
        if kind == "Fn::Equals":
            one, other = self.value(operand)
            return str(one) == str(other)
        if kind == "Fn::Not":
            return not self.truth(operand[0])
        if kind == "Fn::And":
            return all(self.truth(one) for one in operand)
        if kind == "Fn::Or":
            return any(self.truth(one) for one in operand)
        raise ValueError(f"{kind} is not known here")

    def value(self, value):
        """The value with everything put in that is known."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((kind, operand),) = value.items()
                if kind == "Ref":
                    return self.referent(operand)
                if kind.startswith("Fn::"):
                    return self.applied(kind, operand)
            members = {key: self.value(member) for key, member in value.items()}
            return {key: member for key, member in members.items() if member is not NOTHING}
        if isinstance(value, list):
            return [one for one in map(self.value, value) if one is not NOTHING]
        return value

    def referent(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        return self.known.get(name, f"${{{name}}}")

    def applied(self, kind, operand):
        if kind == "Fn::If":
            name, then, otherwise = operand
            return self.value(then if self.holds(name) else otherwise)
        if kind == "Fn::GetAtt":
            path = operand if isinstance(operand, str) else ".".join(operand)
            return f"${{{path}}}"
        if kind == "Fn::Sub":
            text, own = (operand, {}) if isinstance(operand, str) else operand
            own = {name: self.value(value) for name, value in own.items()}
            return VARIABLE.sub(lambda found: str(own.get(found[1], self.referent(found[1]))), text)
        raise ValueError(f"{kind} is not known here")
