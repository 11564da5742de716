"""The twin of azcmagent, as it runs on a host: standard library only, since a server has nothing else.

The package is copied as a whole into the agent's .deb, under the name `azcmagent`; its modules therefore
import each other relatively and nothing of arcferry.
"""
