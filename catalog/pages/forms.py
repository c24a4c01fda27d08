"""Which part of the catalog does a person want to see? The query string and the form are one."""

from django import forms

from catalog.documents.identity import LARGEST
from catalog.models.folding import folded
from catalog.models.product import NAME_LENGTH
from catalog.reading.pagination import (
    FIRST_ORDER,
    LEAST_SEARCHED,
    Page,
    Place,
    parse_cursor,
)

ORDERS = {
    "product_id": "number, lowest first",
    "-product_id": "number, highest first",
    "product_name": "name, A to Z",
    "-product_name": "name, Z to A",
}


class ProductsForm(forms.Form):
    """What is not said is not asked for: without any, all products from the first."""

    q = forms.CharField(
        label="Part of the name",
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"type": "search"}),
        error_messages={
            "max_length": f"Say at most {NAME_LENGTH} characters of it.",
        },
        help_text=f"At least {LEAST_SEARCHED} characters, in upper or lower case.",
    )
    order = forms.ChoiceField(
        label="In the order of their",
        required=False,
        choices=list(ORDERS.items()),
        error_messages={"invalid_choice": f"The order is {', '.join(ORDERS)}."},
        help_text="Names go by their characters: capitals first.",
    )
    brand_id = forms.IntegerField(
        label="Brand",
        required=False,
        min_value=1,
        max_value=LARGEST,
        widget=forms.HiddenInput,
    )
    # Of a link to the next page; who sends the form begins anew.
    cursor = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_q(self) -> str:
        q: str = self.cleaned_data["q"]
        if q and len(folded(q)) < LEAST_SEARCHED:
            raise forms.ValidationError(
                f"Say at least {LEAST_SEARCHED} characters of it.", "min_length"
            )
        return q

    def clean_cursor(self) -> Place | None:
        cursor = self.cleaned_data["cursor"]
        try:
            return parse_cursor(cursor, self.chosen_order()) if cursor else None
        except ValueError as error:
            raise forms.ValidationError(f"The cursor {error}.") from None

    def chosen_order(self) -> str:
        return self.cleaned_data.get("order") or FIRST_ORDER

    def page(self, path: str) -> Page:
        """What a valid form asks for, shown at `path`."""
        answers = self.cleaned_data
        return Page(
            path,
            order=self.chosen_order(),
            brand_id=answers.get("brand_id"),
            q=answers["q"] or None,
            after=answers["cursor"],
        )


class BrandsForm(ProductsForm):
    """All brands from the first."""

    order = None  # type: ignore[assignment]
    brand_id = None  # type: ignore[assignment]
