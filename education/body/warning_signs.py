"""Warning signs by urgency, as patients read them. Pure.

The patient side of the red-flag table. Each sign determines how soon to be seen, and none suggests a diagnosis.
"""

EMERGENCY = {
    "give-way": "A run ended with a sudden crack or give-way, and I cannot walk as usual",
    "no-weight": "The leg takes no weight at all, or looks shorter or turned after a fall",
    "fever": "The hip is very painful and I have a fever or chills, or feel very ill",
    "numb-saddle": "No feeling between the legs, new trouble with bladder or bowels, or both legs getting weak",
    "chest": "Chest pain, sudden trouble breathing, or coughing up blood",
    "groin": "Sudden strong pain in a testicle, or a hard, sore bulge in the groin",
    "belly": "Strong belly pain with fever or vomiting, or in pregnancy",
    "cold-foot": "A cold, pale or blue foot",
    "thinners": "I take blood thinners and a thigh is newly very sore, bruised or weak",
    "urine": "Very dark urine with bad muscle pain after hard exercise",
}
URGENT = {
    "walking": "Plain walking or standing hurts in the groin or the front of the hip, or I limp",
    "landing": "Landing or hopping on that leg has caused deep pain",
    "night": "A deep ache wakes me at night or stays when I rest",
    "sooner": "The pain starts sooner in each run, or has grown for two weeks though I ran less",
    "bone-history": "An earlier stress fracture, missed periods, eating too little, steroid tablets or thin bones",
    "unexplained": "The pain is new, nothing explains it, and there has been cancer, weight loss or night sweats",
    "nerve": "A foot has begun to slap, drag or catch, or a leg feels weak or numb",
    "calf": "One calf or thigh is swollen, warm and sore",
    "young": "I am under 18 and limp, or felt a pop at the front of the hip",
}


NONE = "none"  # checked if no sign in a list applies; a blank list is not a valid answer


def most_urgent(signs: set[str]) -> str | None:
    """Return how soon a reader with `signs` should be seen: "emergency", "urgent", or None without a sign."""
    if signs & EMERGENCY.keys():
        return "emergency"
    return "urgent" if signs & URGENT.keys() else None
