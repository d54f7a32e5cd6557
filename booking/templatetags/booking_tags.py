"""What other rooms' pages show of booking."""

from django import template

from booking.models import Service

register = template.Library()


@register.inclusion_tag("booking/_book_buttons.html")
def book_buttons(*, via: str = "", most: int = 2) -> dict:
    """Buttons for the first `most` services that can be booked, with minutes and price; `via` is the article's code."""
    bookable = Service.objects.filter(listing=Service.Listing.BOOKABLE)
    return {"services": bookable[:most], "query": f"?via={via}" if via else ""}
