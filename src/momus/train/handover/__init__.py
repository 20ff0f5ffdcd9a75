"""PPO on engines of many machines: prompts, reward and settings as files for verl and OpenRLHF.

Neither is imported here, and nothing here runs them. What is written is a folder that goes to the engine by hand.
"""
