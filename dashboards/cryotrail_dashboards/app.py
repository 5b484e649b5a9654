"""The pages, by name; nothing else. Streamlit runs this script for every page view."""

from pathlib import Path

import streamlit as st

from cryotrail_dashboards.layout import show_refusal
from cryotrail_dashboards.sections.store import show_broken_store
from cryotrail_dashboards.settings import DashboardSettings
from cryotrail_schemas.errors import CryotrailError

# The icon is a file of ours: an emoji or a named symbol would be fetched from other hosts.
icon = Path(__file__).with_name("favicon.png")
st.set_page_config(page_title="cryotrail", page_icon=str(icon), layout="wide")

# The folder is not called "pages": Streamlit would run such files by itself, past this script.
# Home must be the default page: Streamlit serves the default one only at the root, whatever its
# url_path says, so a default Procedure would make /procedure "not found".
page = st.navigation(
    [
        st.Page("views/home.py", title="Home", default=True),
        st.Page("views/procedure.py", title="Procedure", url_path="procedure"),
        st.Page("views/cohort.py", title="Cohort", url_path="cohort"),
    ],
    position="top",
)
try:
    show_broken_store(DashboardSettings.from_environment().audit_url)
    page.run()
except CryotrailError as refusal:
    show_refusal(refusal)
