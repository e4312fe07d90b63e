"""What papers found, held to what this cache holds: statistic, published value, ours, verdict."""

from model_runners.findings.material import Material, material_of, read_material
from model_runners.findings.registry import FINDINGS
from model_runners.findings.report import RULE, Found, find, judged, measure

__all__ = [
    "FINDINGS",
    "RULE",
    "Found",
    "Material",
    "find",
    "judged",
    "material_of",
    "measure",
    "read_material",
]
