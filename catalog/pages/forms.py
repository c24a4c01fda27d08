"""Forms that validate the query strings of the catalog's pages."""

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
    "product_id": "ID, ascending",
    "-product_id": "ID, descending",
    "product_name": "name, A to Z",
    "-product_name": "name, Z to A",
}


class ProductsForm(forms.Form):
    """Filters and order of a list of products. All fields are optional."""

    q = forms.CharField(
        label="Part of the name",
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"type": "search"}),
        error_messages={
            "max_length": f"Enter at most {NAME_LENGTH} characters.",
        },
        help_text=f"At least {LEAST_SEARCHED} characters, in upper or lower case.",
    )
    order = forms.ChoiceField(
        label="Sort by",
        required=False,
        choices=list(ORDERS.items()),
        error_messages={"invalid_choice": f"Choose one of {', '.join(ORDERS)}."},
        help_text="Names are sorted by character code: capitals first.",
    )
    brand_id = forms.IntegerField(
        label="Brand",
        required=False,
        min_value=1,
        max_value=LARGEST,
        widget=forms.HiddenInput,
    )
    # Only in links to the next page: submitting the form starts at the first page.
    cursor = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_q(self) -> str:
        q: str = self.cleaned_data["q"]
        if q and len(folded(q)) < LEAST_SEARCHED:
            raise forms.ValidationError(
                f"Enter at least {LEAST_SEARCHED} characters.", "min_length"
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
        """The page that a valid form requests; its links lead to `path`."""
        answers = self.cleaned_data
        return Page(
            path,
            order=self.chosen_order(),
            brand_id=answers.get("brand_id"),
            q=answers["q"] or None,
            after=answers["cursor"],
        )


class BrandsForm(ProductsForm):
    """Filter of a list of brands."""

    order = None  # type: ignore[assignment]
    brand_id = None  # type: ignore[assignment]
