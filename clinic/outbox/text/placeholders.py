"""Check the message text that staff write, and fill in its {placeholders}. Pure."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile(r"[{}]")
_ADDRESS = re.compile(r"(?i)\bhttps?:|\bwww\.|://")

# Other people may see a message on a phone, so it must not reveal why the reader sees a therapist.
_CLINICAL = re.compile(
    r"""(?ix)\b(
    abdom\w* | achilles | ankles? | anxi\w* | arthr\w* | bones? | bursitis | cal(f|ves) | cartilage | chronic\w* |
    conditions? | depress\w* | diagnos\w* | diseases? | elbows? | femor\w* | femur | flags? | foot | fractures? |
    glute\w* | groins? | hamstrings? | heal(s|ed|ing)? | hips? | hurts? | hurting | impinge\w* | inflam\w* |
    injur\w* | joints? | knees? | labr\w* | ligaments? | lumbar | medic(al|ation|ations|ine|ines) | muscles? |
    numb(ness|ing)? | osteo\w* | pains? | painful | pelvi\w* | pregnan\w* | prognos\w* | quadriceps | questionnaires? |
    rehab\w* | scores? | shins? | shoulders? | sore(ness)? | spin(e|al) | sprain\w* | strain\w* | surg\w* |
    swell\w* | swollen | symptoms? | tendin\w* | tendon\w* | therap(y|ies) | tore | torn | treat(ed|ment|ments)? |
    weakness | wounds?
    )\b"""
)


def faults_of(text: str, *, known: Mapping[str, str]) -> list[str]:
    """Return the errors in `text`, one sentence each; empty if it may be sent."""
    unknown = [name for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name not in known]
    faults = []
    if unknown:
        faults.append(f"Nothing can be filled in for {', '.join(f'{{{name}}}' for name in unknown)}.")
    if _BRACE.search(_PLACEHOLDER.sub("", text)):
        faults.append("One brace has no partner. Braces only go around a placeholder.")
    if clinical := clinical_terms(_PLACEHOLDER.sub(" ", text)):
        faults.append(f"A message never says why a patient comes. Please leave out: {', '.join(clinical)}.")
    if _ADDRESS.search(text):
        faults.append("Links are added by themselves; please leave web addresses out.")
    return faults


def clinical_terms(text: str) -> list[str]:
    """Return the words in `text` that reveal why the reader sees a therapist, in lower case, without duplicates."""
    return sorted({found[0].lower() for found in _CLINICAL.finditer(text)})


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return `text` with each {placeholder} replaced by its value on one line.

    Placeholders inside a value are not replaced. Raises KeyError for a placeholder without a value.
    """
    return _PLACEHOLDER.sub(lambda found: " ".join(str(values[found[1]]).split()), text)
