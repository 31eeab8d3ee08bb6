"""What people see: thin Streamlit pages over ``core``. ``home.py`` is the entry that the front door starts."""
