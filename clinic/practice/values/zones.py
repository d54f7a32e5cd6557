"""Time zones: all in this machine's database, the likely ones of a US clinic, and those of each state. No query."""

import unicodedata
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
ARIZONA, ALASKA, HAWAII = "America/Phoenix", "America/Anchorage", "Pacific/Honolulu"
INDIANA, MICHIGAN = "America/Indiana/Indianapolis", "America/Detroit"

# In the order of the choices in a form.
US_ZONES = {
    EASTERN: "Eastern time (New York)",
    CENTRAL: "Central time (Chicago)",
    MOUNTAIN: "Mountain time (Denver)",
    ARIZONA: "Arizona time (Phoenix)",
    PACIFIC: "Pacific time (Los Angeles)",
    ALASKA: "Alaska time (Anchorage)",
    HAWAII: "Hawaii time (Honolulu)",
    MICHIGAN: "Eastern time (Detroit)",
    INDIANA: "Eastern time (Indianapolis)",
    "America/Kentucky/Louisville": "Eastern time (Louisville)",
    "America/Boise": "Mountain time (Boise)",
    "America/Puerto_Rico": "Atlantic time (Puerto Rico, Virgin Islands)",
    "Pacific/Guam": "Chamorro time (Guam, Northern Mariana Islands)",
    "Pacific/Pago_Pago": "Samoa time (Pago Pago)",
}

# Postal code: name, and the zones of the state, the most populous first.
STATES = {
    "AL": ("Alabama", CENTRAL),
    "AK": ("Alaska", ALASKA, HAWAII),
    "AZ": ("Arizona", ARIZONA, MOUNTAIN),
    "AR": ("Arkansas", CENTRAL),
    "CA": ("California", PACIFIC),
    "CO": ("Colorado", MOUNTAIN),
    "CT": ("Connecticut", EASTERN),
    "DE": ("Delaware", EASTERN),
    "DC": ("District of Columbia", EASTERN),
    "FL": ("Florida", EASTERN, CENTRAL),
    "GA": ("Georgia", EASTERN),
    "HI": ("Hawaii", HAWAII),
    "ID": ("Idaho", "America/Boise", PACIFIC),
    "IL": ("Illinois", CENTRAL),
    "IN": ("Indiana", INDIANA, CENTRAL),
    "IA": ("Iowa", CENTRAL),
    "KS": ("Kansas", CENTRAL, MOUNTAIN),
    "KY": ("Kentucky", "America/Kentucky/Louisville", CENTRAL),
    "LA": ("Louisiana", CENTRAL),
    "ME": ("Maine", EASTERN),
    "MD": ("Maryland", EASTERN),
    "MA": ("Massachusetts", EASTERN),
    "MI": ("Michigan", MICHIGAN, CENTRAL),
    "MN": ("Minnesota", CENTRAL),
    "MS": ("Mississippi", CENTRAL),
    "MO": ("Missouri", CENTRAL),
    "MT": ("Montana", MOUNTAIN),
    "NE": ("Nebraska", CENTRAL, MOUNTAIN),
    "NV": ("Nevada", PACIFIC, MOUNTAIN),
    "NH": ("New Hampshire", EASTERN),
    "NJ": ("New Jersey", EASTERN),
    "NM": ("New Mexico", MOUNTAIN),
    "NY": ("New York", EASTERN),
    "NC": ("North Carolina", EASTERN),
    "ND": ("North Dakota", CENTRAL, MOUNTAIN),
    "OH": ("Ohio", EASTERN),
    "OK": ("Oklahoma", CENTRAL),
    "OR": ("Oregon", PACIFIC, MOUNTAIN),
    "PA": ("Pennsylvania", EASTERN),
    "RI": ("Rhode Island", EASTERN),
    "SC": ("South Carolina", EASTERN),
    "SD": ("South Dakota", CENTRAL, MOUNTAIN),
    "TN": ("Tennessee", CENTRAL, EASTERN),
    "TX": ("Texas", CENTRAL, MOUNTAIN),
    "UT": ("Utah", MOUNTAIN),
    "VT": ("Vermont", EASTERN),
    "VA": ("Virginia", EASTERN),
    "WA": ("Washington", PACIFIC),
    "WV": ("West Virginia", EASTERN),
    "WI": ("Wisconsin", CENTRAL),
    "WY": ("Wyoming", MOUNTAIN),
    "AS": ("American Samoa", "Pacific/Pago_Pago"),
    "GU": ("Guam", "Pacific/Guam"),
    "MP": ("Northern Mariana Islands", "Pacific/Guam"),
    "PR": ("Puerto Rico", "America/Puerto_Rico"),
    "VI": ("Virgin Islands", "America/Puerto_Rico"),
}
RENAMED = {
    "Calcutta": "Kolkata",
    "Katmandu": "Kathmandu",
    "Kiev": "Kyiv",
    "Rangoon": "Yangon",
    "Saigon": "Ho Chi Minh City",
}

_US = {"US", "PR", "VI", "GU", "MP", "AS"}
_IN_STATES = ("America/Indiana/", "America/Kentucky/", "America/North_Dakota/")
# Names of tzdata's regions, for pages.
REGIONS = {
    "America": "The Americas",
    "Antarctica": "Arctic and Antarctic",
    "Arctic": "Arctic and Antarctic",
    "Atlantic": "Atlantic islands",
    "Australia": "Australia",
    "Indian": "Indian Ocean",
    "Pacific": "Pacific islands and New Zealand",
}

# Names that are not places: fixed offsets, and placeholders of systems without a zone.
_NO_PLACES = ("Etc/", "Factory", "localtime")
_BY_NAME = {name.casefold(): code for code, (name, *_) in STATES.items()}


@cache
def zone_names() -> frozenset[str]:
    """Return all IANA names ("America/New_York"). Cached, since reading them walks a folder of 600 files."""
    return frozenset(available_timezones())


def known_zone(name: str) -> ZoneInfo | None:
    """Return the zone called `name`; None for an empty or unknown name."""
    return ZoneInfo(name) if name in zone_names() else None


def visitors_zone_name(text: str) -> str:
    """Return `text` if it is the IANA name of a visitor's zone; empty for an unknown name or one that is not a place.

    "UTC" is accepted: the page's script never sends it, so the visitor chose it.
    """
    return text if text in zone_names() and not text.startswith(_NO_PLACES) else ""


def _rows_of_tzdata(name: str) -> list[list[str]]:
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@cache
def zones_by_region() -> dict[str, tuple[str, ...]]:
    """Return the zones of the world by region ("Africa", "United States"), from tzdata's table.

    Has each zone once, by its current name. Sorted by region, and within a region by `city_label`.
    """
    regions: dict[str, list[str]] = {}
    for country, _, name, *_ in _rows_of_tzdata("zone.tab"):
        if name in zone_names():
            region = name.partition("/")[0]
            regions.setdefault("United States" if country in _US else REGIONS.get(region, region), []).append(name)
    return {region: tuple(sorted(regions[region], key=_in_alphabet)) for region in sorted(regions)}


@cache
def _countries() -> dict[str, str]:
    """Return the country of each zone, in English."""
    names = dict(row[:2] for row in _rows_of_tzdata("iso3166.tab"))
    return {zone: names.get(country, "") for country, _, zone, *_ in _rows_of_tzdata("zone.tab")}


def city_label(name: str) -> str:
    """Return text like "Paris (France)" or "North Dakota: Center".

    Omits the country if it is the United States, or has the name of the region or of the city.
    """
    place = place_label(name)
    if name.startswith(_IN_STATES):
        return f"{name.split('/')[1].replace('_', ' ')}: {place}"
    country, region = _countries().get(name, ""), name.partition("/")[0]
    is_told = country in ("", place, "United States", REGIONS.get(region, region))
    return place if is_told else f"{place} ({country})"


def _in_alphabet(name: str) -> str:
    return unicodedata.normalize("NFD", city_label(name)).casefold()


def zones_of_state(text: str) -> tuple[str, tuple[str, ...]]:
    """Return (name, zones) of the US state or territory with the postal code or name `text`; ("", ()) if unknown."""
    state = " ".join(text.replace(".", "").split()).casefold()
    name, *zones = STATES.get(_BY_NAME.get(state, state.upper()), ("",))
    return name, tuple(zones)


def zone_label(name: str) -> str:
    """Return text like "Eastern time (New York)"; outside the US the name, such as "Europe/Isle of Man"."""
    return US_ZONES.get(name) or name.replace("_", " ")


def place_label(name: str) -> str:
    """Return text like "Buenos Aires" for "America/Argentina/Buenos_Aires".

    Returns the current name of a city for which browsers still use an old one (RENAMED).
    """
    place = name.rpartition("/")[2].replace("_", " ")
    return RENAMED.get(place, place)


def clock_label(name: str) -> str:
    """Return text like "Eastern time (New York)", "Jamaica time" or "UTC", to show with a time."""
    return US_ZONES.get(name) or (f"{place_label(name)} time" if "/" in name else name)
