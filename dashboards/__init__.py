"""Dashboards as code, and the console that draws them beside the incidents."""
