"""All drawings by their code."""

from education.drawing.exercises.everyday import ALL as EVERYDAY
from education.drawing.exercises.flexors import ALL as FLEXORS
from education.drawing.exercises.glutes import ALL as GLUTES
from education.drawing.exercises.legs import ALL as LEGS
from education.drawing.exercises.running import ALL as RUNNING
from education.drawing.exercises.scenes import ALL as SCENES
from education.drawing.exercises.trunk import ALL as TRUNK
from education.drawing.pictures import Drawing

DRAWINGS: dict[str, Drawing] = {
    drawing.code: drawing for drawing in (*FLEXORS, *GLUTES, *TRUNK, *LEGS, *RUNNING, *EVERYDAY, *SCENES)
}
