"""Body sites, and the articles to read for each. Pure.

Runners report the site of an injury reliably, but not its kind (PMID 29969569).
The codes are those of the body map in the intake.
"""

from dataclasses import dataclass

_HIP = ("hip-flexor-pain-running", "bone-stress-hip-pain")
_ANYWHERE = ("can-i-keep-running", "longest-run")


@dataclass(frozen=True)
class BodySite:
    """A body site: its name and a note for readers, and the slugs of articles, the most relevant first."""

    name: str
    note: str
    articles: tuple[str, ...]


BODY_SITES = {
    "front-hip": BodySite(
        "Front of the hip",
        "Pain here can be linked with the hip flexors, the joint or the bone. Which one it is takes an exam.",
        (*_HIP, "strain-or-overload", "hip-flexor-tendinopathy"),
    ),
    "groin": BodySite(
        "Groin",
        "Many parts meet in the groin: muscles, the hip joint, bone, nerves and the belly. Please think of bone first.",
        ("bone-stress-hip-pain", "hip-flexor-pain-running", "hip-flexor-tendinopathy"),
    ),
    "front-thigh": BodySite(
        "Front of the thigh",
        "The long muscle of the thigh lifts the leg too. An ache deep in the thigh can also come from the hip or from bone.",
        ("strain-or-overload", *_HIP),
    ),
    "outer-hip": BodySite(
        "Outer side of the hip",
        "This is where the muscles work that hold the pelvis level. How you run can change what they have to do.",
        ("cadence-and-form", "gait-and-strength", *_ANYWHERE),
    ),
    "low-back": BodySite(
        "Low back",
        "The back and the hip flexors share work. Numbness or weak legs along with it belong in the red box above.",
        ("the-chain", "what-hip-flexors-do", *_ANYWHERE),
    ),
    "back-thigh": BodySite(
        "Back of the thigh",
        "The hamstrings push you forward and can pass work on to the hip.",
        ("the-chain", "strain-or-overload", *_ANYWHERE),
    ),
    "shin": BodySite(
        "Shin",
        "One sore spot on the bone is a reason to stop running and ask. The rest can be linked with how training has grown.",
        ("bone-stress-hip-pain", "the-chain", *_ANYWHERE),
    ),
    "knee": BodySite(
        "Knee",
        "In a young runner, a sore knee with a limp can come from the hip. Otherwise, look at your training first.",
        ("cadence-and-form", *_ANYWHERE),
    ),
}
